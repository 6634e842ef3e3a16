//! The form with which a client requests a token by POST.

use bytes::{Bytes, BytesMut};
use http::StatusCode;

use crate::refusal::{Code, Refusal};
use crate::route::Query;

/// The longest form, in bytes.
const FORM: usize = 64 << 10;

/// A form, as far as it has arrived.
#[derive(Debug, Default)]
pub(crate) struct TokenRequest {
    form: BytesMut,
}

impl TokenRequest {
    pub(crate) fn take(&mut self, bytes: &Bytes) -> Result<(), Refusal> {
        if self.form.len() + bytes.len() > FORM {
            let message = format!("a form has at most {FORM} bytes");
            return Err(Refusal::new(StatusCode::PAYLOAD_TOO_LARGE, Code::SizeInvalid, message));
        }
        self.form.extend_from_slice(bytes);
        Ok(())
    }

    pub(super) fn fields(&self) -> Query {
        let text = std::str::from_utf8(&self.form).ok();
        // In a form, a plus is a space.
        Query::of(text.map(|text| text.replace('+', "%20")).as_deref())
    }
}
