//! What a push did: on standard output for scripts, and on standard error what it left behind.

use longshore_core::text::shown;
use longshore_core::{Descriptor, Digest, Pushed, Reference, Tag};
use longshore_sources::layout::{Closure, LeftBehind};
use serde_json::json;

use crate::args::PushArguments;
use crate::exit::Error;
use crate::output;
use crate::progress::short;
use crate::size::{count, human};

/// How many things that were left behind are named.
const MAX_NAMED: usize = 5;

/// The totals of what was pushed and what was not.
pub(super) struct Report {
    digest: Digest,
    pushed: Pushed,
    /// Tags of what stands beside the image.
    companions: Vec<Tag>,
    left_behind: Vec<LeftBehind>,
    attestations: Vec<Digest>,
    /// Layers that may not be distributed.
    left_out: Vec<Descriptor>,
    /// Whether the layout has any of those.
    has_left_out: bool,
    /// What refers to the image and was pushed with it, beside what has a tag of its own.
    referrers: Vec<(Digest, Option<String>)>,
}

impl Report {
    pub(super) const fn new(digest: Digest, pushed: Pushed) -> Self {
        Self {
            digest,
            pushed,
            companions: Vec::new(),
            left_behind: Vec::new(),
            attestations: Vec::new(),
            left_out: Vec::new(),
            has_left_out: false,
            referrers: Vec::new(),
        }
    }

    /// Something that stands beside the image was pushed too.
    pub(super) fn add(&mut self, pushed: Pushed) {
        let all = &mut self.pushed;
        all.requests += pushed.requests;
        all.bytes += pushed.bytes;
        all.uploaded += pushed.uploaded;
        all.mounted += pushed.mounted;
        all.existing += pushed.existing;
        all.unverified.extend(pushed.unverified);
        self.companions.extend(pushed.tags);
    }

    /// What of the layout was pushed beside the image, and what was not.
    pub(super) fn of_closure(&mut self, closure: &Closure, arguments: &PushArguments) {
        let is_here = |digest: Digest| closure.manifests.iter().any(|manifest| manifest.digest() == digest);
        if arguments.with_referrers {
            let about =
                closure.manifests.iter().filter(|it| it.subject().is_some_and(|subject| is_here(subject.digest)));
            self.referrers = about.map(|it| (it.digest(), it.artifact_type().map(str::to_owned))).collect();
        }
        self.left_behind.clone_from(&closure.left_behind);
        self.attestations.clone_from(&closure.attestations);
        if !arguments.push_nondistributable {
            let closures = || closure.companions.iter().map(|companion| &companion.closure).chain([closure]);
            self.left_out = closures().flat_map(|closure| &closure.nondistributable).cloned().collect();
            let is_left_out = |digest: Digest| self.left_out.iter().any(|layer| layer.digest == digest);
            let mut blobs = closures().flat_map(|closure| &closure.blobs);
            self.has_left_out = blobs.any(|blob| is_left_out(blob.descriptor.digest));
        }
    }

    pub(super) fn print(&self, reference: &Reference, as_json: bool) -> Result<(), Error> {
        if as_json {
            return output::line(output::json(&self.json()));
        }
        let Pushed { tags, requests, bytes, uploaded, mounted, existing, .. } = &self.pushed;
        output::line(self.digest)?;
        let existed = format!("there already{}", self.not_asked_about());
        let blobs = [(uploaded, "sent"), (mounted, "mounted"), (existing, existed.as_str())];
        let blobs = blobs.iter().filter(|(number, _)| **number > 0).map(|(number, how)| format!("{number} {how}"));
        let blobs = blobs.collect::<Vec<_>>().join(", ");
        let blobs = if blobs.is_empty() { String::new() } else { format!("; blobs: {blobs}") };
        let names: Vec<String> = tags.iter().map(|tag| format!(":{tag}")).collect();
        let place = format!("{}/{}{}", reference.registry, reference.repository, names.join(" "));
        output::line(format!("pushed {place} in {}, {} sent{blobs}", count(*requests, "request"), human(*bytes)))?;
        let referrers = self.referrers.iter().map(|(digest, artifact_type)| kind(digest, artifact_type.as_deref()));
        let with_it: Vec<String> = self.companions.iter().map(|tag| format!(":{tag}")).chain(referrers).collect();
        if !with_it.is_empty() {
            output::line(format!("and what refers to it: {}", named(&with_it, String::clone)))?;
        }
        self.say_what_is_left();
        Ok(())
    }

    /// What of it only a manifest that the registry serves speaks for.
    fn not_asked_about(&self) -> String {
        let number = self.pushed.unverified.len() as u64;
        match number {
            0 => String::new(),
            _ if number >= self.pushed.existing => " (not asked about; --recheck asks)".to_owned(),
            _ => format!(" ({number} not asked about; --recheck asks)"),
        }
    }

    fn say_what_is_left(&self) {
        if !self.left_behind.is_empty() {
            let names = named(&self.left_behind, |left| match (&left.tag, &left.artifact_type) {
                (Some(tag), _) => tag.to_string(),
                (None, artifact_type) => kind(&left.digest, artifact_type.as_deref()),
            });
            let (refers, them) = if self.left_behind.len() == 1 { ("refers", "it") } else { ("refer", "them") };
            output::say(format!(
                "left behind: {names}, which {refers} to the image; --with-referrers takes {them} along"
            ));
        }
        if !self.attestations.is_empty() {
            let (number, names) =
                (count(self.attestations.len() as u64, "attestation"), named(&self.attestations, short));
            let them = if self.attestations.len() == 1 { "it" } else { "them" };
            output::say(format!(
                "left behind: {number} of BuildKit about the image ({names}); only the image's index refers to {them}: to take {them} along, push the index"
            ));
        }
        if !self.left_out.is_empty() {
            let number = count(self.left_out.len() as u64, "layer");
            let names = named(&self.left_out, |layer| format!("{} ({})", short(&layer.digest), human(layer.size)));
            let (makers, them) =
                if self.left_out.len() == 1 { ("whose maker forbids", "it") } else { ("whose makers forbid", "them") };
            let remedy = if self.has_left_out {
                format!("--push-nondistributable sends {them}")
            } else {
                format!("the layout does not have {them} either")
            };
            output::say(format!("left out: {number} {makers} to distribute {them}: {names}; {remedy}"));
        }
    }

    fn json(&self) -> serde_json::Value {
        let Pushed { tags, requests, bytes, uploaded, mounted, existing, unverified, .. } = &self.pushed;
        let texts = |tags: &[Tag]| -> Vec<String> { tags.iter().map(ToString::to_string).collect() };
        let left_behind = self.left_behind.iter().map(|left| {
            let tag = left.tag.as_ref().map(ToString::to_string);
            json!({"digest": left.digest, "artifactType": left.artifact_type, "tag": tag})
        });
        let attestations =
            self.attestations.iter().map(|digest| json!({"digest": digest, "artifactType": null, "tag": null}));
        let left_behind = left_behind.chain(attestations);
        let referrers = self.referrers.iter();
        let referrers =
            referrers.map(|(digest, artifact_type)| json!({"digest": digest, "artifactType": artifact_type}));
        let left_out: Vec<Digest> = self.left_out.iter().map(|layer| layer.digest).collect();
        json!({
            "digest": self.digest, "tags": texts(tags), "requests": requests, "bytes": bytes,
            "blobs": {"uploaded": uploaded, "mounted": mounted, "existing": existing},
            "unverified": unverified,
            "companions": texts(&self.companions), "referrers": referrers.collect::<Vec<_>>(), "leftBehind": left_behind.collect::<Vec<_>>(), "leftOut": left_out,
        })
    }
}

fn kind(digest: &Digest, artifact_type: Option<&str>) -> String {
    let digest = short(digest);
    artifact_type.map_or_else(|| digest.clone(), |artifact_type| format!("{} ({digest})", shown(artifact_type)))
}

/// Some of them by name, and how many more there are.
fn named<T>(all: &[T], name: impl Fn(&T) -> String) -> String {
    let mut names: Vec<String> = all.iter().take(MAX_NAMED).map(name).collect();
    if all.len() > MAX_NAMED {
        names.push(format!("and {} more", all.len() - MAX_NAMED));
    }
    names.join(", ")
}
