//! Words for messages: what was probably meant, and lists of what may stand.

/// The known name that `word` was probably meant to be.
pub fn nearest<'a>(word: &str, known: impl IntoIterator<Item = &'a str> + Clone) -> Option<&'a str> {
    let word = word.trim().to_lowercase();
    let allowed = (word.chars().count() / 3).max(1);
    let distance = |name: &str| strsim::damerau_levenshtein(&word, &name.to_lowercase());
    let near =
        known.clone().into_iter().map(|name| (distance(name), name)).filter(|(distance, _)| *distance <= allowed).min();
    // `warning` for `warn`: one word that goes on where the other ends.
    let begins = || known.into_iter().find(|name| name.len() > 2 && word.starts_with(&name.to_lowercase()));
    near.map(|(_, name)| name).or_else(begins)
}

/// `a`, `b` or `c`.
pub fn list(names: &[&str], last: &str) -> String {
    let quoted: Vec<_> = names.iter().map(|name| format!("`{name}`")).collect();
    match quoted.split_last() {
        Some((end, start)) if !start.is_empty() => format!("{} {last} {end}", start.join(", ")),
        _ => quoted.concat(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nearest_names() {
        let known = ["cpu", "memory", "retention", "retentionSize", "metrics-server", "warn"];
        for (word, expected) in [
            ("memroy", Some("memory")),
            ("retention_size", Some("retentionSize")),
            ("RETENTION", Some("retention")),
            ("metricsServer", Some("metrics-server")),
            ("\u{a0}retention", Some("retention")),
            ("warning", Some("warn")),
            ("cpus", Some("cpu")),
            ("gpu", Some("cpu")),
            ("disk", None),
            ("", None),
        ] {
            assert_eq!(nearest(word, known), expected, "{word}");
        }
    }
}
