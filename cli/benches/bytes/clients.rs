//! Who pushes.

use std::process::Command;

use crate::content::Content;
use crate::registry::{Registry, Scheme};

pub(crate) const CURL: &str = "curl -T, sequential";

/// A client by name, and how it is called.
pub(crate) struct Client {
    pub(crate) name: &'static str,
    program: &'static str,
    add: fn(&mut Command, &Registry, &Content, &str),
}

/// All clients. `curl` sends the layers, one after another, and no more than those.
pub(crate) const CLIENTS: [Client; 8] = [
    Client { name: "longshore", program: env!("CARGO_BIN_EXE_longshore"), add: longshore },
    Client { name: "longshore --no-verify", program: env!("CARGO_BIN_EXE_longshore"), add: longshore_trusting },
    Client { name: CURL, program: "curl", add: curl },
    Client { name: "sha256sum", program: "sha256sum", add: sha256sum },
    Client { name: "oras", program: "oras", add: oras },
    Client { name: "crane", program: "crane", add: crane },
    Client { name: "regctl", program: "regctl", add: regctl },
    Client { name: "skopeo", program: "skopeo", add: skopeo },
];

impl Client {
    pub(crate) fn is_installed(&self) -> bool {
        Command::new(self.program).arg("--version").output().is_ok()
    }

    /// The push of an image under a tag.
    pub(crate) fn command(&self, registry: &Registry, content: &Content, tag: &str) -> Command {
        let mut command = Command::new(self.program);
        (self.add)(&mut command, registry, content, tag);
        command
    }
}

fn reference(registry: &Registry, tag: &str) -> String {
    format!("{}/bench/image:{tag}", registry.authority)
}

fn longshore(command: &mut Command, registry: &Registry, content: &Content, tag: &str) {
    command.arg("push").arg(&content.layout).arg(reference(registry, tag)).args(["--anonymous", "--progress", "none"]);
    if registry.scheme == Scheme::Https {
        command.arg("--ca").arg(&registry.ca);
    }
}

fn longshore_trusting(command: &mut Command, registry: &Registry, content: &Content, tag: &str) {
    longshore(command, registry, content, tag);
    command.arg("--no-verify");
}

fn curl(command: &mut Command, registry: &Registry, content: &Content, tag: &str) {
    command.args(["--silent", "--show-error", "--fail", "--http1.1", "--header", "Expect:"]);
    if registry.scheme == Scheme::Https {
        command.arg("--cacert").arg(&registry.ca);
    }
    let scheme = registry.scheme.name();
    for layer in &content.layers {
        command
            .arg("-T")
            .arg(layer)
            .arg(format!("{scheme}://{}/v2/bench/image/blobs/uploads/{tag}", registry.authority));
    }
}

fn sha256sum(command: &mut Command, _: &Registry, content: &Content, _: &str) {
    command.args(&content.layers);
}

fn oras(command: &mut Command, registry: &Registry, content: &Content, tag: &str) {
    command
        .args(["cp", "--from-oci-layout"])
        .arg(format!("{}:v1", content.layout.display()))
        .arg(reference(registry, tag));
    match registry.scheme {
        Scheme::Http => command.arg("--to-plain-http"),
        Scheme::Https => command.arg("--to-ca-file").arg(&registry.ca),
    };
}

fn crane(command: &mut Command, registry: &Registry, content: &Content, tag: &str) {
    command.arg("push").arg(&content.layout).arg(reference(registry, tag));
    match registry.scheme {
        Scheme::Http => command.arg("--insecure"),
        Scheme::Https => command.env("SSL_CERT_FILE", &registry.ca),
    };
}

fn regctl(command: &mut Command, registry: &Registry, content: &Content, tag: &str) {
    let tls = match registry.scheme {
        Scheme::Http => "disabled",
        Scheme::Https => "insecure",
    };
    command.args(["image", "copy", "--host", &format!("reg={},tls={tls}", registry.authority)]);
    command.arg(format!("ocidir://{}:v1", content.layout.display())).arg(reference(registry, tag));
}

fn skopeo(command: &mut Command, registry: &Registry, content: &Content, tag: &str) {
    command.args(["copy", "--quiet", "--insecure-policy", "--dest-tls-verify=false"]);
    command.arg(format!("oci:{}:v1", content.layout.display())).arg(format!("docker://{}", reference(registry, tag)));
}
