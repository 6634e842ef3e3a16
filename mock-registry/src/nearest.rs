//! The word that somebody meant who wrote another one.

/// The word that is most like the one that was given, if any is like it at all. Upper and lower case are alike.
pub(crate) fn nearest<'a>(given: &str, words: impl IntoIterator<Item = &'a str>) -> Option<String> {
    let given = given.to_lowercase();
    let scored = words.into_iter().map(|word| (strsim::jaro_winkler(&given, &word.to_lowercase()), word));
    let best = scored.max_by(|(one, _), (other, _)| one.total_cmp(other));
    best.filter(|(score, _)| *score > 0.75).map(|(_, word)| word.to_owned())
}
