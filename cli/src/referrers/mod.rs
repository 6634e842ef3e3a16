//! `longshore referrers`: what refers to an image, and what refers to that.

mod tree;

use std::collections::BTreeSet;
use std::future::Future;
use std::pin::Pin;

use longshore_core::{Descriptor, Digest, Operation, Receipt, Reference};

use crate::args::{ReferrersArguments, Style};
use crate::connection::Connection;
use crate::exit::Error;
use crate::output;
use tree::Node;

/// How deep referrers of referrers are followed.
const MAX_DEPTH: usize = 8;

/// Lists, and prints a tree or JSON.
pub(crate) async fn run(arguments: ReferrersArguments) -> Result<(), Error> {
    let reference = arguments.connection.reference(arguments.reference);
    let connection = Connection::open(&arguments.connection, &reference, Style::None)?;
    let mut walk = Walk { connection, reference, seen: BTreeSet::new() };
    let subject = match walk.reference.digest {
        Some(digest) => digest,
        None => walk.connection.manifest(&walk.reference).await?.digest(),
    };
    let nodes = walk.nodes(subject, arguments.artifact_type, 0).await?;
    walk.check(&nodes).await?;
    if arguments.json {
        return output::line(output::json(&tree::json(&subject, &nodes)));
    }
    output::line(format!("{}/{}@{subject}", walk.reference.registry, walk.reference.repository))?;
    tree::lines(&nodes).iter().try_for_each(output::line)
}

struct Walk {
    connection: Connection,
    reference: Reference,
    /// A registry may show the same one twice, or in a circle.
    seen: BTreeSet<Digest>,
}

type Nodes<'a> = Pin<Box<dyn Future<Output = Result<Vec<Node>, Error>> + 'a>>;

impl Walk {
    /// The referrers of a manifest, each with its own. The type is asked of the first level only: a signature of an SBOM
    /// belongs to the SBOM.
    fn nodes(&mut self, subject: Digest, artifact_type: Option<String>, depth: usize) -> Nodes<'_> {
        Box::pin(async move {
            let mut nodes = Vec::new();
            if depth == MAX_DEPTH {
                return Ok(nodes);
            }
            for descriptor in self.list(subject, artifact_type).await? {
                if self.seen.insert(descriptor.digest) {
                    let referrers = self.nodes(descriptor.digest, None, depth + 1).await?;
                    nodes.push(Node { descriptor, referrers });
                }
            }
            Ok(nodes)
        })
    }

    /// Where nothing is found, it is made sure that a registry answered. What is asked about need not be there.
    async fn check(&mut self, nodes: &[Node]) -> Result<(), Error> {
        if !nodes.is_empty() || self.reference.digest.is_none() {
            return Ok(());
        }
        match self.connection.manifest(&self.reference).await {
            Err(error) if error.is_no_registry() => Err(error),
            _ => Ok(()),
        }
    }

    async fn list(&mut self, subject: Digest, artifact_type: Option<String>) -> Result<Vec<Descriptor>, Error> {
        let (registry, repository) = (self.reference.registry.clone(), self.reference.repository.clone());
        let operation = Operation::ListReferrers { registry, repository, subject, artifact_type };
        match self.connection.run(operation).await? {
            Receipt::Referrers(referrers) => Ok(referrers),
            receipt => unreachable!("a list of referrers gives them, not {receipt:?}"),
        }
    }
}
