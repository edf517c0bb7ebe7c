//! What messages do not repeat: the user and password of a URL. They end in logs of CI and in chats.

use std::sync::Arc;
use vigil_yaml::{Place, Problem, Source, Span};

/// The problems with every credential in them starred, also in the lines that they show.
pub(crate) fn redacted(mut problems: Vec<Problem>, source: &Source) -> Vec<Problem> {
    let Some(text) = starred(&source.text) else { return problems };
    let clean = Source::new(source.name.as_str(), text);
    for problem in &mut problems {
        if let Place::Text(span) = &problem.place {
            problem.place = Span::new(&same(span, source, &clean), span.range.clone()).into();
        }
        let texts = [Some(&mut problem.message), problem.label.as_mut(), problem.help.as_mut()];
        for text in texts.into_iter().flatten() {
            if let Some(clean) = starred(text) {
                *text = clean;
            }
        }
    }
    problems
}

/// The source that takes the place of a span's own.
fn same(span: &Span, source: &Source, clean: &Arc<Source>) -> Arc<Source> {
    Arc::clone(if *span.source == *source { clean } else { &span.source })
}

/// `text` with a star for each byte of what stands between a scheme and an `@`; `None` when there is none. Places in
/// it stay true.
fn starred(text: &str) -> Option<String> {
    const SCHEME: &str = "://";
    let mut clean = String::with_capacity(text.len());
    let mut found = false;
    let mut rest = text;
    while let Some(at) = rest.find(SCHEME) {
        let (before, after) = rest.split_at(at + SCHEME.len());
        clean.push_str(before);
        let end = after.find(|c: char| c.is_whitespace() || "\"'`<>".contains(c)).unwrap_or(after.len());
        let secret = credentials(&after[..end]);
        clean.push_str(&"*".repeat(secret));
        found |= secret > 0;
        rest = &after[secret..];
    }
    clean.push_str(rest);
    found.then_some(clean)
}

/// How many bytes of a URL behind its scheme are credentials.
fn credentials(url: &str) -> usize {
    let host = url.find(['/', '?', '#']).unwrap_or(url.len());
    let port = url[..host].rsplit_once(':').map(|(_, port)| port);
    // A password may hold what ends a host: then there is no number where the port would be.
    let within = if port.is_some_and(|port| port.parse::<u16>().is_err()) { url } else { &url[..host] };
    within.rfind('@').unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_are_starred_and_nothing_else() {
        for (text, expected) in [
            ("a: https://u:p@x.example/y", Some("a: https://***@x.example/y")),
            ("a: \"https://u:p/w@x\" # b@c", Some("a: \"https://*****@x\" # b@c")),
            ("https://token@x, https://é@x", Some("https://*****@x, https://**@x")),
            ("https://u:p@w@x/", Some("https://*****@x/")),
            ("https://x.example/@me", None),
            ("https://x.example:443/@me", None),
            ("a: b@c", None),
            ("://", None),
        ] {
            assert_eq!(starred(text).as_deref(), expected, "{text}");
            assert!(starred(text).is_none_or(|clean| clean.len() == text.len()), "{text}");
        }
    }
}
