//! `longshore push`: an image out of a layout, into a registry.

mod report;
mod source;

use longshore_core::{Blob, Digest, Options, Push, Pushed, Receipt, Reference, Tag};
use longshore_sources::layout::Closure;

use crate::args::PushArguments;
use crate::connection::Connection;
use crate::exit::Error;
use crate::learned::Knowledge;
use crate::progress;
use crate::resume::Resume;
use crate::stdin;
use report::Report;

/// Pushes, and prints the digest and what it cost.
pub(crate) async fn run(arguments: PushArguments) -> Result<(), Error> {
    let mut arguments = arguments;
    let reference = arguments.connection.reference(arguments.reference()?);
    let learned = arguments.learned.as_deref().map(Knowledge::read).transpose()?;
    let options = options(&arguments, learned.as_ref())?;
    if learned.as_ref().is_some_and(|learned| !learned.mounts()) {
        arguments.mount_from.clear();
    }
    let show = progress::show(arguments.progress);
    let connect = || {
        let connection = Connection::with_options(&arguments.connection, &reference, show, options)?;
        if let Some(learned) = &learned {
            connection.session().teach(&reference.registry, learned.learned(&reference));
        }
        Ok::<_, Error>(connection)
    };
    let tags = tags(&reference, &arguments.tags);
    let report = match &arguments.stdin_layer {
        Some(media_type) => {
            let pushed = stdin::push(&mut connect()?, &reference, tags, &arguments, media_type).await;
            pushed.map(|(digest, pushed)| Report::new(digest, pushed))?
        }
        None => {
            let closure = source::read(&arguments)?;
            check_digest(&arguments.source, &reference, &closure)?;
            push_all(&mut connect()?, &closure, &reference, tags, &arguments).await?
        }
    };
    report.print(&reference, arguments.json)
}

fn options(arguments: &PushArguments, learned: Option<&Knowledge>) -> Result<Options, Error> {
    let mut options = arguments.connection.options()?;
    if let Some(learned) = learned {
        learned.apply(&mut options);
    }
    if let Some(size) = arguments.chunk_size {
        (options.chunk, options.chunk_above) = (size, size);
        options.single_post = options.single_post.min(size);
    }
    options.push_nondistributable = arguments.push_nondistributable;
    options.recheck = arguments.recheck;
    Ok(options)
}

/// The image under its tags, and then what stands beside it under tags of its own.
async fn push_all(
    connection: &mut Connection,
    closure: &Closure,
    reference: &Reference,
    tags: Vec<Tag>,
    arguments: &PushArguments,
) -> Result<Report, Error> {
    connection.session().add_sources(&closure.sources());
    let push = tags.into_iter().fold(push_of(closure, reference, arguments), Push::tag);
    let pushed = image(connection, push, arguments).await;
    let pushed = pushed.map_err(|error| source::explained(error, closure, reference))?;
    let mut report = Report::new(closure.root.digest, pushed);
    for companion in &closure.companions {
        let push = push_of(&companion.closure, reference, arguments).tag(companion.tag.clone());
        let receipt = connection.run(push).await;
        let receipt = receipt.map_err(|error| source::explained(error, &companion.closure, reference))?;
        report.add(pushed_of(receipt));
    }
    report.of_closure(closure, arguments);
    Ok(report)
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
    Ok(pushed_of(receipt))
}

fn pushed_of(receipt: Receipt<Digest>) -> Pushed {
    match receipt {
        Receipt::Pushed(pushed) => pushed,
        receipt => unreachable!("a push gives what was pushed, not {receipt:?}"),
    }
}

/// All tags that were asked for; `latest` where neither tag nor digest was said.
fn tags(reference: &Reference, more: &[Tag]) -> Vec<Tag> {
    let tags: Vec<Tag> = reference.tag.iter().chain(more).cloned().collect();
    if tags.is_empty() && reference.digest.is_none() { vec![Tag::latest()] } else { tags }
}

/// The push of the whole image to the reference.
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
    push = arguments.like.iter().cloned().fold(push, Push::like);
    // What the layout lacks.
    arguments.mount_from.iter().cloned().fold(push, Push::mount_absent_from)
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
