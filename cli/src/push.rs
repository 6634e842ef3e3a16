//! `longshore push`: an image out of a layout, into a registry.

use longshore_core::{Blob, Digest, Push, Pushed, Receipt, Reference, Tag};
use longshore_sources::layout::{ArgumentError, Closure};
use longshore_sources::{Layout, SourceArgument};
use serde_json::json;

use crate::args::PushArguments;
use crate::connection::Connection;
use crate::exit::Error;
use crate::output;
use crate::progress;
use crate::resume::Resume;
use crate::size::{count, human};
use crate::stdin;

/// Pushes, and prints the digest and what it cost.
pub(crate) async fn run(arguments: PushArguments) -> Result<(), Error> {
    let reference = arguments.connection.reference(arguments.reference()?);
    let mut options = arguments.connection.options()?;
    if let Some(size) = arguments.chunk_size {
        (options.chunk, options.chunk_above) = (size, size);
        options.single_post = options.single_post.min(size);
    }
    let show = progress::show(arguments.progress);
    let connect = || Connection::with_options(&arguments.connection, &reference, show, options);
    let tags = tags(&reference, &arguments.tags);
    let (digest, pushed) = match &arguments.stdin_layer {
        Some(media_type) => {
            let artifact_type = arguments.artifact_type.as_ref();
            stdin::push(&mut connect()?, &reference, tags, media_type, artifact_type).await?
        }
        None => {
            let closure = closure(&arguments)?;
            check_digest(&arguments.source, &reference, &closure)?;
            let mut connection = connect()?;
            connection.session().add_sources(&closure.sources());
            let push = tags.into_iter().fold(push_of(&closure, &reference, &arguments), Push::tag);
            (closure.root.digest, image(&mut connection, push, &arguments).await?)
        }
    };
    report(digest, &pushed, &reference, arguments.json)
}

async fn image(connection: &mut Connection, push: Push<Digest>, arguments: &PushArguments) -> Result<Pushed, Error> {
    let receipt = match &arguments.resume {
        Some(path) => {
            let mut resume = Resume::new(path);
            let receipt = connection.run_resumable(resume.prepare(push)?, &mut resume).await?;
            resume.remove()?;
            receipt
        }
        None => connection.run(push).await?,
    };
    match receipt {
        Receipt::Pushed(pushed) => Ok(pushed),
        receipt => unreachable!("a push gives what was pushed, not {receipt:?}"),
    }
}

/// All tags that were asked for; `latest` where neither tag nor digest was said.
fn tags(reference: &Reference, more: &[Tag]) -> Vec<Tag> {
    let tags: Vec<Tag> = reference.tag.iter().chain(more).cloned().collect();
    if tags.is_empty() && reference.digest.is_none() { vec![Tag::latest()] } else { tags }
}

/// All of the image, where the reference says.
fn push_of(closure: &Closure, reference: &Reference, arguments: &PushArguments) -> Push<Digest> {
    let mut push = Push::new(reference.registry.clone(), reference.repository.clone());
    for manifest in &closure.manifests {
        let is_root = manifest.digest() == closure.root.digest;
        push = if is_root { push.root(manifest.clone()) } else { push.manifest(manifest.clone()) };
    }
    for blob in &closure.blobs {
        let described = Blob::described(blob.descriptor.digest, &blob.descriptor);
        push = push.blob(arguments.mount_from.iter().cloned().fold(described, Blob::mount_from));
    }
    push
}

/// What is to be pushed: all manifests, read and checked, and where the blobs are.
fn closure(arguments: &PushArguments) -> Result<Closure, Error> {
    let source = SourceArgument::parse(&arguments.source).map_err(|error| match error {
        ArgumentError::NotFound(_) => Error::failed(error),
        _ => Error::misuse(error),
    })?;
    let layout = Layout::open(&source.path).map_err(Error::failed)?;
    let root = layout.select(&source.selection, arguments.platform.as_ref()).map_err(Error::failed)?;
    let closure = layout.closure(&root).map_err(Error::failed)?;
    Ok(if arguments.no_verify { closure.trusted() } else { closure })
}

/// A digest in the reference says what must be pushed.
fn check_digest(source: &str, reference: &Reference, closure: &Closure) -> Result<(), Error> {
    match reference.digest {
        Some(digest) if digest != closure.root.digest => {
            let found = closure.root.digest;
            Err(Error::failed(format!("{source} holds {found}, not {digest} as the reference says")))
        }
        _ => Ok(()),
    }
}

fn report(digest: Digest, pushed: &Pushed, reference: &Reference, as_json: bool) -> Result<(), Error> {
    let Pushed { tags, requests, bytes, uploaded, mounted, existing, .. } = pushed;
    if as_json {
        let tags: Vec<String> = tags.iter().map(ToString::to_string).collect();
        return output::line(output::json(&json!({
            "digest": digest, "tags": tags, "requests": requests, "bytes": bytes,
            "blobs": {"uploaded": uploaded, "mounted": mounted, "existing": existing},
        })));
    }
    output::line(digest)?;
    let blobs = [(uploaded, "sent"), (mounted, "mounted"), (existing, "there already")];
    let blobs = blobs.iter().filter(|(number, _)| **number > 0).map(|(number, how)| format!("{number} {how}"));
    let blobs = blobs.collect::<Vec<_>>().join(", ");
    let blobs = if blobs.is_empty() { String::new() } else { format!("; blobs: {blobs}") };
    let names: Vec<String> = tags.iter().map(|tag| format!(":{tag}")).collect();
    let place = format!("{}/{}{}", reference.registry, reference.repository, names.join(" "));
    output::line(format!("pushed {place} in {}, {} sent{blobs}", count(*requests, "request"), human(*bytes)))
}
