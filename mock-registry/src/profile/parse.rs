//! Reads a profile, with the line of each part.

use std::str::FromStr as _;

use longshore_core::text::shown;
use serde_json::Value;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::builtin::{self, NAMES};
use super::error::{Place, ProfileError};
use super::json::json;
use super::{Difference, Entry, Evidence, Profile, SetSwitch, Settings, contradiction, name_of, quirk, switches};
use crate::behaviour::AnswerChange;
use crate::nearest::nearest;

/// Reads a profile that this crate contains. `chain` has the names of the profiles that extend it, and its own.
pub(super) fn named(name: &str, chain: &mut Vec<String>) -> Result<Profile, ProfileError> {
    let text = builtin::text(name).ok_or_else(|| ProfileError::UnknownProfile {
        name: name.to_owned(),
        nearest: nearest(name, NAMES.iter().copied()),
    })?;
    profile(&format!("profiles/{name}.toml"), text, chain)
}

/// Reads a profile. `chain` has the names of the profiles that extend it, and its own.
pub(super) fn profile(file: &str, text: &str, chain: &mut Vec<String>) -> Result<Profile, ProfileError> {
    let reader = Reader::new(file, text);
    let table = DeTable::parse(text).map_err(|error| {
        let span = error.span().unwrap_or_default();
        let what = text.get(span.clone()).filter(|what| !what.is_empty() && what.len() <= 64 && !what.contains('\n'));
        let what = what.map(|what| format!(" ({})", shown(what))).unwrap_or_default();
        ProfileError::Syntax { at: reader.place(span.start), message: format!("{}{what}", error.message()) }
    })?;
    let table = table.get_ref();
    reader.known(table, &["title", "state", "unknown", "extends", "quirk", "differs"])?;
    let parent = reader.parent(table, chain)?;
    let entries =
        reader.tables(table, "quirk")?.map(|(at, entry)| reader.entry(at, entry)).collect::<Result<_, _>>()?;
    let mut profile = Profile {
        name: name_of(file).to_owned(),
        title: reader.text(table, "title")?.ok_or_else(|| reader.lacks(0, "title"))?,
        state: reader.text(table, "state")?.unwrap_or_default(),
        unknown: reader.text(table, "unknown")?.unwrap_or_default(),
        entries,
        differences: reader
            .tables(table, "differs")?
            .map(|(at, entry)| reader.difference(at, entry))
            .collect::<Result<_, _>>()?,
        assignments: Vec::new(),
        settings: parent.as_ref().map(|parent| parent.settings.clone()).unwrap_or_default(),
        parent: parent.map(Box::new),
    };
    reader.check(&profile.entries)?;
    reader.apply(&mut profile)?;
    Ok(profile)
}

/// Reads `group.switch=value`.
pub(super) fn assignment(text: &str) -> Result<SetSwitch, ProfileError> {
    let at = Place::argument(text);
    let (path, value) = text.split_once('=').ok_or_else(|| ProfileError::Malformed { at: at.clone() })?;
    let path = path.trim().to_owned();
    known_switch(&at, &path)?;
    Ok(SetSwitch { path, value: loose(value.trim()), line: 0 })
}

/// A value on a command line: TOML, a word without quotes, or `word:number`.
fn loose(text: &str) -> Value {
    if let Ok(value) = DeValue::parse(text) {
        return json(value.get_ref());
    }
    match text.rsplit_once(':').map(|(word, number)| (word, number.parse::<u64>())) {
        Some((word, Ok(number))) => Value::from_iter([(word.to_owned(), Value::from(number))]),
        _ => Value::from(text),
    }
}

fn known_switch(at: &Place, path: &str) -> Result<(), ProfileError> {
    let known = switches();
    if known.iter().any(|switch| switch.path == path) {
        return Ok(());
    }
    let nearest = nearest(path, known.iter().map(|switch| switch.path.as_str()));
    Err(ProfileError::UnknownSwitch { at: at.clone(), path: path.to_owned(), nearest })
}

struct Reader<'a> {
    file: &'a str,
    /// The offsets of the line breaks, in order. A profile asks for hundreds of lines.
    breaks: Vec<usize>,
}

impl<'a> Reader<'a> {
    fn new(file: &'a str, text: &str) -> Self {
        Self { file, breaks: text.match_indices('\n').map(|(at, _)| at).collect() }
    }

    fn place(&self, offset: usize) -> Place {
        Place::line(self.file, self.line(offset))
    }

    fn line(&self, offset: usize) -> usize {
        1 + self.breaks.partition_point(|at| *at < offset)
    }

    fn lacks(&self, offset: usize, key: &str) -> ProfileError {
        ProfileError::Missing { at: self.place(offset), key: key.to_owned() }
    }

    fn wrong(&self, offset: usize, key: &str, wanted: &'static str) -> ProfileError {
        ProfileError::Type { at: self.place(offset), key: key.to_owned(), wanted }
    }

    /// Refuses unknown keys.
    fn known(&self, table: &DeTable<'_>, keys: &[&str]) -> Result<(), ProfileError> {
        for key in table.keys() {
            let name: &str = key.get_ref();
            if !keys.contains(&name) {
                let nearest = nearest(name, keys.iter().copied());
                return Err(ProfileError::UnknownKey {
                    at: self.place(key.span().start),
                    key: name.to_owned(),
                    nearest,
                });
            }
        }
        Ok(())
    }

    fn text(&self, table: &DeTable<'_>, key: &str) -> Result<Option<String>, ProfileError> {
        let Some(value) = table.get(key) else { return Ok(None) };
        match value.get_ref().as_str() {
            Some(text) => Ok(Some(text.to_owned())),
            None => Err(self.wrong(value.span().start, key, "a text")),
        }
    }

    /// The tables of an array, each with its offset.
    fn tables<'t>(
        &self,
        table: &'t DeTable<'t>,
        key: &str,
    ) -> Result<impl Iterator<Item = (usize, &'t DeTable<'t>)>, ProfileError> {
        let wanted = "an array of tables: write [[…]] before each";
        let values: &[Spanned<DeValue<'t>>] = match table.get(key) {
            None => &[],
            Some(value) => value.get_ref().as_array().ok_or_else(|| self.wrong(value.span().start, key, wanted))?,
        };
        if let Some(other) = values.iter().find(|value| !value.get_ref().is_table()) {
            return Err(self.wrong(other.span().start, key, wanted));
        }
        Ok(values.iter().filter_map(|value| Some((value.span().start, value.get_ref().as_table()?))))
    }

    fn parent(&self, table: &DeTable<'_>, chain: &mut Vec<String>) -> Result<Option<Profile>, ProfileError> {
        let Some(name) = self.text(table, "extends")? else { return Ok(None) };
        let at = table.get("extends").map_or(0, |value| value.span().start);
        if chain.contains(&name) {
            chain.push(name);
            return Err(ProfileError::Circle { at: self.place(at), chain: chain.join(" extends ") });
        }
        chain.push(name.clone());
        named(&name, chain).map(Some).map_err(|error| match error {
            ProfileError::UnknownProfile { name, nearest } => {
                ProfileError::UnknownParent { at: self.place(at), name, nearest }
            }
            error => error,
        })
    }

    fn entry(&self, at: usize, table: &DeTable<'_>) -> Result<Entry, ProfileError> {
        self.known(table, &["id", "source", "evidence", "note", "historic", "set", "answers"])?;
        let required = |key| self.text(table, key)?.ok_or_else(|| self.lacks(at, key));
        let id = required("id")?;
        if quirk::named(&id).is_none() {
            let nearest = nearest(&id, quirk::all().iter().map(|quirk| quirk.id.as_str()));
            let at = table.get("id").map_or(at, |value| value.span().start);
            return Err(ProfileError::UnknownQuirk { at: self.place(at), id, nearest });
        }
        let evidence = Evidence::from_str(&required("evidence")?);
        let historic = match table.get("historic") {
            None => false,
            Some(value) => {
                let wanted = "true or false";
                value.get_ref().as_bool().ok_or_else(|| self.wrong(value.span().start, "historic", wanted))?
            }
        };
        Ok(Entry {
            quirk: id,
            source: required("source")?,
            evidence: evidence.map_err(|()| self.wrong(at, "evidence", Evidence::WANTED))?,
            note: self.text(table, "note")?.unwrap_or_default(),
            historic,
            switches: self.switches(table)?,
            answers: self.answers(table)?,
            line: self.line(at),
        })
    }

    /// `set.group.switch = value`, in the order of the file.
    fn switches(&self, table: &DeTable<'_>) -> Result<Vec<SetSwitch>, ProfileError> {
        let Some(groups) = table.get("set") else { return Ok(Vec::new()) };
        let wanted = "written as set.group.switch = value";
        let groups_at = groups.span().start;
        let groups = groups.get_ref().as_table().ok_or_else(|| self.wrong(groups_at, "set", wanted))?;
        let mut sets = Vec::new();
        for (group, switches) in groups {
            let at = group.span().start;
            let of_group = switches.get_ref().as_table().ok_or_else(|| self.wrong(at, "set", wanted))?;
            for (name, value) in of_group {
                let path = format!("{}.{}", group.get_ref(), name.get_ref());
                let offset = name.span().start;
                known_switch(&self.place(offset), &path)?;
                sets.push((offset, SetSwitch { path, value: json(value.get_ref()), line: self.line(offset) }));
            }
        }
        sets.sort_by_key(|(offset, _)| *offset);
        Ok(sets.into_iter().map(|(_, set)| set).collect())
    }

    fn answers(&self, table: &DeTable<'_>) -> Result<Vec<AnswerChange>, ProfileError> {
        let Some(value) = table.get("answers") else { return Ok(Vec::new()) };
        serde_json::from_value(json(value.get_ref())).map_err(|error| ProfileError::Value {
            at: self.place(value.span().start),
            switch: "answers".to_owned(),
            message: error.to_string(),
        })
    }

    fn difference(&self, at: usize, table: &DeTable<'_>) -> Result<Difference, ProfileError> {
        self.known(table, &["fact", "why"])?;
        let required = |key| self.text(table, key)?.ok_or_else(|| self.lacks(at, key));
        Ok(Difference { fact: required("fact")?, why: required("why")? })
    }

    /// Refuses a switch that is set twice in one file, and a switch that has no effect because of another one.
    fn check(&self, entries: &[Entry]) -> Result<(), ProfileError> {
        let sets = entries.iter().flat_map(|entry| &entry.switches);
        contradiction::check(&sets.map(|set| (Place::line(self.file, set.line), set)).collect::<Vec<_>>())
    }

    fn apply(&self, profile: &mut Profile) -> Result<(), ProfileError> {
        let sets: Vec<&SetSwitch> = profile.entries.iter().flat_map(|entry| &entry.switches).collect();
        let settings: &mut Settings = &mut profile.settings;
        settings.set_all(&sets).map_err(|(number, message)| {
            let (line, switch) = sets.get(number).map_or((1, String::new()), |set| (set.line, set.path.clone()));
            ProfileError::Value { at: Place::line(self.file, line), switch, message }
        })?;
        for entry in &profile.entries {
            settings.behaviour.answers.extend(entry.answers.iter().cloned());
        }
        Ok(())
    }
}
