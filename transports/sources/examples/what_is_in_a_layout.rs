//! What a layout holds, which image is meant, and what a push of it would send:
//! `cargo run -p longshore-sources --example what_is_in_a_layout -- image.tar:v1`

use std::error::Error;

use longshore_sources::layout::{Closure, LayoutOptions, SourceArgument};

fn main() -> Result<(), Box<dyn Error>> {
    let source = std::env::args().nth(1).ok_or("name a layout: a folder, a tar, or - for a tar on standard input")?;
    print!("{}", told(&source)?);
    Ok(())
}

/// What there is to tell, a line each.
pub(crate) fn told(source: &str) -> Result<String, Box<dyn Error>> {
    let argument = SourceArgument::parse(source)?;
    let layout = argument.open(LayoutOptions::default())?;
    let mut lines = vec![format!("it names {}", layout.names().join(", "))];
    let root = layout.select(&argument.selection, None)?;
    let Closure { manifests, blobs, missing, left_behind, warnings, .. } = layout.closure(&root)?;
    let bytes: u64 = blobs.iter().map(|blob| blob.descriptor.size).sum();
    lines.push(format!("{}: {} manifests and {} blobs of {bytes} bytes", root.digest, manifests.len(), blobs.len()));
    lines.extend(missing.iter().map(|blob| format!("{} is for the registry to have", blob.descriptor.digest)));
    lines.extend(left_behind.iter().map(|left| format!("{} refers to it, and would be left behind", left.digest)));
    lines.extend(warnings);
    Ok(lines.into_iter().map(|line| line + "\n").collect())
}
