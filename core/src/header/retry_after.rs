//! `Retry-After` (RFC 9110, section 10.2.3), read without a clock.

use std::time::Duration;

use http::header::{DATE, RETRY_AFTER};
use http::{HeaderMap, HeaderValue};

/// How long an answer asks the client to wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum RetryAfter {
    /// It has no `Retry-After`.
    #[default]
    Absent,
    /// At least this long, counted from when the answer came. A number of seconds above 2^64-1 counts as 2^64-1.
    Delay(Duration),
    /// The time cannot be read: it is neither a number of seconds nor a date, or it is a date in an answer without a
    /// `Date`.
    Malformed,
}

impl RetryAfter {
    /// Reads the header. A date is compared with the same answer's `Date`, because the core has no clock; a past date
    /// means no wait. If there are several headers, the longest wait counts.
    #[must_use]
    pub fn read(headers: &HeaderMap) -> Self {
        let waits = headers.get_all(RETRY_AFTER).iter().map(|value| read_one(value, headers));
        waits.fold(Self::Absent, |longest, wait| match (longest, wait) {
            (Self::Delay(a), Some(b)) => Self::Delay(a.max(b)),
            (_, Some(b)) => Self::Delay(b),
            (Self::Delay(a), None) => Self::Delay(a),
            (_, None) => Self::Malformed,
        })
    }
}

fn read_one(value: &HeaderValue, headers: &HeaderMap) -> Option<Duration> {
    let text = value.to_str().ok()?.trim_matches([' ', '\t']);
    if !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit()) {
        // All characters are digits, so `parse` fails only if the number is too large.
        return Some(Duration::from_secs(text.parse().unwrap_or(u64::MAX)));
    }
    let until = httpdate::parse_http_date(text).ok()?;
    let now = httpdate::parse_http_date(headers.get(DATE)?.to_str().ok()?).ok()?;
    Some(until.duration_since(now).unwrap_or(Duration::ZERO))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn i26_seconds_and_dates_without_a_clock() {
        const NOW: &str = "Sun, 06 Nov 1994 08:49:37 GMT";
        let delay = |seconds| RetryAfter::Delay(Duration::from_secs(seconds));
        let table: [(&[&str], Option<&str>, RetryAfter); 27] = [
            (&[], Some(NOW), RetryAfter::Absent),
            (&["0"], None, delay(0)),
            (&["1"], None, delay(1)),
            (&[" 300 "], None, delay(300)),
            (&["301"], None, delay(301)),
            (&["1000000000"], None, delay(1_000_000_000)),
            (&["18446744073709551615"], None, delay(u64::MAX)),
            (&["18446744073709551616"], None, delay(u64::MAX)),
            (&["99999999999999999999999999999999"], None, delay(u64::MAX)),
            (&["-1"], None, RetryAfter::Malformed),
            (&["+1"], None, RetryAfter::Malformed),
            (&["1.5"], None, RetryAfter::Malformed),
            (&["soon"], Some(NOW), RetryAfter::Malformed),
            (&[""], Some(NOW), RetryAfter::Malformed),
            (&["Sun, 06 Nov 1994 08:50:37 GMT"], Some(NOW), delay(60)),
            (&["Sunday, 06-Nov-94 08:50:37 GMT"], Some(NOW), delay(60)),
            (&["Sun Nov  6 08:50:37 1994"], Some(NOW), delay(60)),
            (&["Sun, 06 Nov 1994 08:49:37 GMT"], Some(NOW), delay(0)),
            (&["Thu, 01 Jan 1970 00:00:00 GMT"], Some(NOW), delay(0)),
            (&["Fri, 31 Dec 9999 23:59:59 GMT"], Some(NOW), delay(252_618_189_022)),
            // Without a `Date`, or with one that is none, a date says nothing.
            (&["Sun, 06 Nov 1994 08:50:37 GMT"], None, RetryAfter::Malformed),
            (&["Sun, 06 Nov 1994 08:50:37 GMT"], Some("today"), RetryAfter::Malformed),
            // Of several, the longest.
            (&["10", "20"], None, delay(20)),
            (&["20", "10"], None, delay(20)),
            (&["soon", "10"], None, delay(10)),
            (&["10", "soon"], None, delay(10)),
            (&["soon", "later"], None, RetryAfter::Malformed),
        ];
        for (values, date, expected) in table {
            let mut headers = HeaderMap::new();
            for value in values {
                headers.append(RETRY_AFTER, HeaderValue::from_str(value).unwrap());
            }
            if let Some(date) = date {
                headers.insert(DATE, HeaderValue::from_str(date).unwrap());
            }
            assert_eq!(RetryAfter::read(&headers), expected, "{values:?} at {date:?}");
        }
    }
}
