//! Suggestions for misspelt words.

/// The word that is most similar to the given one, if one is similar. Upper and lower case count as equal.
pub(crate) fn nearest<'a>(given: &str, words: impl IntoIterator<Item = &'a str>) -> Option<String> {
    let given = given.to_lowercase();
    let scored = words.into_iter().map(|word| (strsim::jaro_winkler(&given, &word.to_lowercase()), word));
    let best = scored.max_by(|(one, _), (other, _)| one.total_cmp(other));
    best.filter(|(score, _)| *score > 0.75).map(|(_, word)| word.to_owned())
}
