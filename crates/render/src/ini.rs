//! INI files, such as Grafana's: sections of `key = value` lines.
//!
//! A template's lines are read while every value of the stack is still a token, so that only the template decides
//! which sections and keys there are. INI has no way to quote that all its readers agree on: a value that some reader
//! would take for more than a text is refused.

use std::sync::Arc;
use vigil_forms::ini::{self, Says, is_plain, is_plain_name};
use vigil_yaml::{Problem, Source, Span};

/// A section and its keys, in the order of the text.
pub(crate) struct Section {
    name: String,
    keys: Vec<(String, String)>,
}

/// Reads the lines of `source`, `resolve` giving each value its final text.
pub(crate) fn read(source: &Arc<Source>, resolve: impl Fn(&str) -> String) -> Result<Vec<Section>, Vec<Problem>> {
    let mut sections: Vec<Section> = Vec::new();
    let mut problems = Vec::new();
    for line in ini::lines(&source.text) {
        let mut problem = |message: String| problems.push(Problem::error(message, Span::new(source, line.at.clone())));
        let (key, raw) = match line.says {
            Says::Section { name, .. } => {
                // Readers disagree on what may stand around the name.
                if !is_plain_name(name) || line.text.len() != name.len() + 2 {
                    problem("expected the name of a section".to_owned());
                } else if sections.iter().any(|section| section.name == name) {
                    problem(format!("the section `{name}` stands twice"));
                }
                sections.push(Section { name: name.to_owned(), keys: Vec::new() });
                continue;
            }
            Says::OpenSection | Says::NoValue => {
                problem("expected `[section]` or `key = value`".to_owned());
                continue;
            }
            Says::Key { key, raw, .. } => (key, raw),
        };
        let Some(section) = sections.last_mut() else {
            problem("expected a section before the first key".to_owned());
            continue;
        };
        let value = resolve(raw);
        if !is_plain_name(key) {
            problem("expected the name of a key".to_owned());
        } else if section.keys.iter().any(|(known, _)| known == key) {
            problem(format!("the key `{key}` stands twice in its section"));
        } else if !is_plain(&value) {
            problem(format!("`{}` means different things to different INI readers", value.escape_debug()));
        } else {
            section.keys.push((key.to_owned(), value));
        }
    }
    if problems.is_empty() { Ok(sections) } else { Err(problems) }
}

/// The one text of these sections.
pub(crate) fn write(sections: &[Section]) -> String {
    let mut text = String::new();
    for Section { name, keys } in sections {
        text.extend(["[", name, "]\n"]);
        for (key, value) in keys {
            let space = if value.is_empty() { "" } else { " " };
            text.extend([key, " =", space, value, "\n"]);
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn round(text: &str) -> Result<String, String> {
        read(&Source::new("x.ini", text), str::to_owned)
            .map(|sections| write(&sections))
            .map_err(|problems| problems.into_iter().map(|problem| problem.message).collect::<Vec<_>>().join("; "))
    }

    #[test]
    fn sections_and_keys_stay_in_order() {
        let text = "# why\n[server]\nroot_url=https://x/y?a=b\n\n; why\n[log]\n mode =  console file \nempty =\n";
        assert_eq!(round(text).unwrap(), "[server]\nroot_url = https://x/y?a=b\n[log]\nmode = console file\nempty =\n");
    }

    #[test]
    fn what_is_no_ini_file_is_refused() {
        for (text, message) in [
            ("a = 1", "expected a section before the first key"),
            ("[a]\nb", "expected `[section]` or `key = value`"),
            ("[a b]", "expected the name of a section"),
            ("[a]\n[a]", "the section `a` stands twice"),
            ("[a]\nb = 1\nb = 2", "the key `b` stands twice in its section"),
            ("[a]\nb c = 1", "expected the name of a key"),
            ("[a]\nb = 1 # c", "`1 # c` means different things to different INI readers"),
            ("[a]\nb = c\\", "`c\\\\` means different things to different INI readers"),
            ("[a]\nb = $__file{/x}", "`$__file{/x}` means different things to different INI readers"),
            ("[a]\nb = %(c)s", "`%(c)s` means different things to different INI readers"),
        ] {
            assert_eq!(round(text).unwrap_err(), message, "{text}");
        }
    }

    #[test]
    fn a_value_adds_no_line() {
        let source = Source::new("x.ini", "[a]\nb = x\nc = 1\n");
        for value in ["1\nd = 2", "1\r[b]", "\u{85}", " 1", "`", "\"\"\"", "'", "#", ";", "\u{2028}"] {
            let result = read(&source, |text| if text == "x" { value.to_owned() } else { text.to_owned() });
            assert!(result.is_err(), "{value:?}");
        }
    }
}
