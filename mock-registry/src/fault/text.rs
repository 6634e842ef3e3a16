//! The text form of faults, such as `PATCH#2 in team/app: answer-lost`.

use std::fmt;
use std::str::FromStr;

use http::Method;

use super::error::FaultError;
use super::form::{EFFECTS, fault, name_of, time};
use super::when::MILLION;
use super::{FaultRule, Faults, When};
use crate::row::{row_id_named, row_ids};

impl fmt::Display for Faults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, rule) in self.rules.iter().enumerate() {
            write!(f, "{}{rule}", if i == 0 { "" } else { "; " })?;
        }
        Ok(())
    }
}

impl fmt::Display for FaultRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.when, self.fault)
    }
}

impl fmt::Display for When {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut words = Vec::new();
        words.extend(self.method.as_ref().map(ToString::to_string));
        words.extend(self.row.map(str::to_owned));
        let which = words.join(" ");
        match (self.first, self.last) {
            (1, None) if which.is_empty() => f.write_str("every")?,
            (1, None) => f.write_str(&which)?,
            (first, Some(last)) if first == last => write!(f, "{which}#{first}")?,
            (first, Some(last)) => write!(f, "{which}#{first}..{last}")?,
            (first, None) => write!(f, "{which}#{first}..")?,
        }
        if let Some(repository) = &self.repository {
            write!(f, " in {repository}")?;
        }
        if let Some(digest) = &self.digest {
            write!(f, " of {digest}")?;
        }
        if self.per_million < MILLION {
            write!(f, " p={}", f64::from(self.per_million) / f64::from(MILLION))?;
        }
        match self.within {
            Some(within) => write!(f, " for {}us", within.as_micros()),
            None => Ok(()),
        }
    }
}

impl FromStr for Faults {
    type Err = FaultError;

    /// Reads rules that are separated by `;` or the end of a line. A line that begins with `# ` is a comment.
    fn from_str(text: &str) -> Result<Self, FaultError> {
        let lines = text.lines().map(str::trim).filter(|line| *line != "#" && !line.starts_with("# "));
        let rules = lines.flat_map(|line| line.split(';')).map(str::trim).filter(|rule| !rule.is_empty());
        Ok(Self { rules: rules.map(str::parse).collect::<Result<_, _>>()? })
    }
}

impl FromStr for FaultRule {
    type Err = FaultError;

    fn from_str(text: &str) -> Result<Self, FaultError> {
        let is_fault =
            |rest: &str| EFFECTS.iter().any(|(form, _)| rest.split_whitespace().next() == Some(name_of(form)));
        // Digests and URLs have colons too. The right colon is the one before the name of a fault.
        let colons = || text.match_indices(':').map(|(at, _)| (&text[..at], text[at + 1..].trim()));
        let known = colons().find(|(_, rest)| is_fault(rest));
        let spaced = || text.split_once(": ").or_else(|| text.split_once(':'));
        let (requests, what) =
            known.or_else(spaced).ok_or_else(|| FaultError::NoFault(text.chars().take(256).collect()))?;
        let fault = fault(what)?;
        Ok(Self { when: requests.parse()?, fault })
    }
}

impl FromStr for When {
    type Err = FaultError;

    fn from_str(text: &str) -> Result<Self, FaultError> {
        let bad = |word: &str| FaultError::bad_requests(word, std::iter::empty());
        let mut when = Self::every();
        let mut words = text.split_whitespace();
        let mut any = false;
        while let Some(word) = words.next() {
            any = true;
            let mut value = || words.next().ok_or_else(|| bad(word));
            match word {
                "in" => when.repository = Some(value()?.parse().map_err(|_| bad(text))?),
                "of" => when.digest = Some(value()?.parse().map_err(|_| bad(text))?),
                "for" => when.within = Some(time(value()?).ok_or_else(|| bad(text))?),
                _ => match word.strip_prefix("p=") {
                    Some(share) => {
                        let share: f64 = share.parse().map_err(|_| bad(word))?;
                        let share = Some(share).filter(|share| (0.0..=1.0).contains(share)).ok_or_else(|| bad(word))?;
                        when = when.probability(share);
                    }
                    None => when = target(when, word).ok_or_else(|| unknown(word))?,
                },
            }
        }
        if any { Ok(when) } else { Err(bad(text)) }
    }
}

/// The methods of requests that a registry knows or refuses.
const METHODS: [&str; 7] = ["GET", "HEAD", "POST", "PATCH", "PUT", "DELETE", "OPTIONS"];

/// The error about a word that is neither a method nor a row, with the nearest known one.
fn unknown(word: &str) -> FaultError {
    let name = word.split('#').next().unwrap_or_default();
    let is_known = name == "every" || METHODS.contains(&name) || row_id_named(name).is_some();
    let words = METHODS.into_iter().chain(row_ids()).chain(["every"]).filter(|_| !is_known && !name.is_empty());
    match FaultError::bad_requests(name, words) {
        FaultError::BadRequests { nearest, .. } => {
            FaultError::BadRequests { given: word.chars().take(256).collect(), nearest }
        }
        other => other,
    }
}

/// Reads a method or a row, and the numbers of the requests.
fn target(mut when: When, word: &str) -> Option<When> {
    let (name, numbers) = match word.split_once('#') {
        Some((name, numbers)) => (name, Some(numbers)),
        None => (word, None),
    };
    if let Some(row) = row_id_named(name) {
        when.row = Some(row);
    } else if METHODS.contains(&name) {
        when.method = Some(Method::from_bytes(name.as_bytes()).ok()?);
    } else if !(name == "every" || (name.is_empty() && numbers.is_some())) {
        return None;
    }
    let number = |text: &str| text.parse::<u64>().ok().filter(|number| *number > 0);
    match numbers.map(|numbers| numbers.split_once("..").ok_or(numbers)) {
        None => {}
        Some(Err(one)) => {
            when.first = number(one)?;
            when.last = Some(when.first);
        }
        Some(Ok((first, last))) => {
            when.first = if first.is_empty() { 1 } else { number(first)? };
            when.last = if last.is_empty() { None } else { Some(number(last).filter(|last| *last >= when.first)?) };
        }
    }
    Some(when)
}

#[cfg(test)]
mod tests;
