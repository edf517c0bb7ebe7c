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

/// The known names that `word` may have been meant to be, the likeliest first: those that hold it or that it holds, and
/// those that are written alike.
pub fn near<'a>(word: &str, known: impl IntoIterator<Item = &'a str>, most: usize) -> Vec<&'a str> {
    let word = word.trim().to_lowercase();
    let rank = |name: &'a str| {
        let lower = name.to_lowercase();
        let holds = word.len() > 2 && lower.len() > 2 && (lower.contains(&word) || word.contains(&lower));
        let distance = strsim::damerau_levenshtein(&word, &lower);
        let alike = distance * 2 <= word.chars().count().min(lower.chars().count());
        (holds || alike).then_some((!holds, distance, name))
    };
    let mut near: Vec<_> = known.into_iter().filter_map(rank).collect();
    near.sort_unstable();
    near.into_iter().take(most).map(|(.., name)| name).collect()
}

/// `a`, `b` or `c`.
pub fn list(names: &[&str], last: &str) -> String {
    let quoted: Vec<_> = names.iter().map(|name| format!("`{name}`")).collect();
    match quoted.split_last() {
        Some((end, start)) if !start.is_empty() => format!("{} {last} {end}", start.join(", ")),
        _ => quoted.concat(),
    }
}

/// `1 object`, `2 objects`.
pub fn counted(count: usize, noun: &str) -> String {
    if count == 1 { format!("1 {noun}") } else { format!("{count} {noun}s") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn near_names() {
        let known = ["retention", "retentionSize", "replicas", "resources", "image", "imageRegistry", "ingress"];
        assert_eq!(near("retentionTime", known, 5), ["retention", "retentionSize"]);
        assert_eq!(near("images", known, 1), ["image"]);
        assert_eq!(near("registry", known, 5), ["imageRegistry"]);
        assert!(near("mimir", known, 5).is_empty());
    }

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
