//! The source of the image: a layout in a folder, in a tar file, or on standard input.

use std::io::IsTerminal as _;

use longshore_core::{Descriptor, Digest, FailureKind, Reference};
use longshore_sources::layout::{ArgumentError, Closure, Layout, LayoutOptions, MissingManifest};
use longshore_sources::{LayoutError, SourceArgument};
use serde_json::json;

use crate::args::{PushArguments, Style};
use crate::exit::Error;
use crate::output;
use crate::size::human;

/// How many warnings are shown, each of which is a line.
const MAX_WARNINGS: usize = 5;

/// How many platforms are named that can be pushed instead.
const MAX_PLATFORMS: usize = 5;

/// The content to push: all manifests, read and checked, and the places of the blobs.
pub(super) fn read(arguments: &PushArguments) -> Result<Closure, Error> {
    let source = SourceArgument::parse(&arguments.source).map_err(|error| match error {
        ArgumentError::NotFound(_) => Error::failed(error),
        _ => Error::misuse(error),
    })?;
    let layout = open(&source, arguments)?;
    let root = layout.select(&source.selection, arguments.platform.as_ref()).map_err(of_layout)?;
    let closure = if arguments.with_referrers { layout.closure_with_referrers(&root) } else { layout.closure(&root) };
    let closure = closure.map_err(of_layout)?;
    let left = closure.warnings.len().saturating_sub(MAX_WARNINGS);
    closure.warnings.iter().take(MAX_WARNINGS).for_each(|warning| say(arguments, "warning", warning));
    if left > 0 {
        say(arguments, "warning", &format!("and {left} more of these"));
    }
    Ok(if arguments.no_verify { closure.trusted() } else { closure })
}

fn open(source: &SourceArgument, arguments: &PushArguments) -> Result<Layout, Error> {
    if source.is_standard_input() {
        let login = &arguments.connection.login;
        if login.password_stdin || login.registry_token_stdin {
            return Err(Error::misuse("standard input cannot be both the image and the password or token"));
        }
        if std::io::stdin().is_terminal() {
            return Err(Error::misuse("standard input is a terminal: pipe a tar of an image into it"));
        }
        note(arguments, "the tar on standard input is copied into a temporary file first");
    }
    let layout = source.open(LayoutOptions::default().follow_links(arguments.follow_links)).map_err(of_layout)?;
    if let Some(bytes) = layout.spooled().filter(|_| !source.is_standard_input()) {
        let path = source.path.display();
        note(arguments, &format!("{path} was copied, unpacked, into a temporary file ({})", human(bytes)));
    }
    Ok(layout)
}

fn of_layout(error: LayoutError) -> Error {
    match error {
        LayoutError::Link { is_folder: true, .. } => Error::failed(format!("{error}; or --follow-links follows it")),
        error => Error::failed(error),
    }
}

/// What is worth a line where people look on.
fn note(arguments: &PushArguments, text: &str) {
    if arguments.progress != Style::None {
        say(arguments, "note", text);
    }
}

fn say(arguments: &PushArguments, kind: &str, text: &str) {
    if arguments.progress == Style::Json {
        output::say(output::json(&json!({"event": kind, "text": text})));
    } else {
        output::say(format!("{kind}: {text}"));
    }
}

/// A blob or manifest that neither the layout nor the registry has: which, and what can be done.
pub(super) fn explained(error: Error, closure: &Closure, reference: &Reference) -> Error {
    let Some(FailureKind::Incomplete { digest }) = error.failure().map(|failure| &failure.kind) else { return error };
    if let Some(missing) = closure.missing_manifests.iter().find(|missing| missing.descriptor.digest == *digest) {
        return without_manifest(missing, reference);
    }
    let missing = closure.missing.iter().find(|blob| blob.descriptor.digest == *digest);
    let (descriptor, by) = match missing {
        Some(blob) => (&blob.descriptor, format!(", which {} refers to", blob.by)),
        None => match find(&closure.nondistributable, digest) {
            Some(descriptor) => (descriptor, " (a layer that its maker forbids to distribute)".to_owned()),
            None => return error,
        },
    };
    Error::failed(format!(
        "neither the layout nor {}/{} has the blob {digest} ({}){by}: push from a layout that has it, or name a repository of \
         this registry that has it with --mount-from",
        reference.registry,
        reference.repository,
        human(descriptor.size),
    ))
}

/// Manifests cannot be mounted: what is left is another layout, or less of this one.
fn without_manifest(missing: &MissingManifest, reference: &Reference) -> Error {
    let MissingManifest { descriptor, by, others, .. } = missing;
    let platform = descriptor.platform.as_ref().map(|platform| format!(" for {platform}")).unwrap_or_default();
    let others: Vec<String> = others.iter().take(MAX_PLATFORMS).map(|other| format!("--platform {other}")).collect();
    let others = if others.is_empty() {
        String::new()
    } else {
        format!(", or only an image that this one has ({})", others.join(", "))
    };
    Error::failed(format!(
        "neither the layout nor {}/{} has the manifest {}{platform}, which the index {by} names: push from a layout that has it{others}",
        reference.registry, reference.repository, descriptor.digest,
    ))
}

fn find<'a>(descriptors: &'a [Descriptor], digest: &Digest) -> Option<&'a Descriptor> {
    descriptors.iter().find(|descriptor| descriptor.digest == *digest)
}
