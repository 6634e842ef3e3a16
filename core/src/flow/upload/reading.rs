//! The bytes of a blob that can be read once, as they come into hand.

use super::{State, Upload};
use crate::Digest;
use crate::driver::Key;
use crate::flow::Context;
use crate::outcome::{Event, Failure, FailureKind};

impl<K: Key> Upload<K> {
    /// Bytes of a one-shot blob up to `len` are in hand.
    pub(crate) fn filled(&mut self, len: u64, context: &mut Context<'_, K>) {
        self.content.filled(len);
        self.read(context);
    }

    /// A one-shot blob has ended.
    pub(crate) fn ended(&mut self, len: u64, digest: Digest, context: &mut Context<'_, K>) {
        let known = self.content.digest.is_some();
        if let Err(why) = self.content.ended(len, digest) {
            return self.fail(Failure::new(why));
        }
        if !known {
            context.events.push(Event::BlobDigested { blob: self.key.clone(), digest, size: len });
        }
        self.read(context);
    }

    /// The blob cannot be read.
    pub(crate) fn unreadable(&mut self, why: &str) {
        self.fail(Failure::new(FailureKind::Unreadable(crate::text::shown(why))));
    }

    fn read(&mut self, context: &mut Context<'_, K>) {
        let State::Reading(open, from, up_to) = self.state.clone() else { return };
        if from == 0 {
            self.begin_sending(open, context);
        } else if !self.content.must_read(from) {
            self.send_chunk(open, from, up_to);
        }
    }
}
