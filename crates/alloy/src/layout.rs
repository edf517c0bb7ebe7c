//! How a file looks: as `alloy fmt` would leave it, for what templates leave otherwise.

use super::{Lexeme, Word, lex};
use std::ops::Range;
use vigil_yaml::Source;

/// A sound text with its attributes one below the other in line, and without blank lines at the end of blocks and spaces at the
/// end of lines. A text with raw strings or comments of several lines stays as it is, for these may hold anything.
pub fn tidy(text: &str) -> String {
    let Ok((lexemes, _)) = lex(&Source::new("alloy", text)) else { return text.to_owned() };
    let spans_lines = |word: &Lexeme| word.word == Word::Text && text[word.range.clone()].contains('\n');
    let is_inside = |at: usize| lexemes.iter().any(|word| word.range.contains(&at));
    if lexemes.iter().any(spans_lines) || text.match_indices("/*").any(|(at, _)| !is_inside(at)) {
        return text.to_owned();
    }
    let lines = whole_lines(text);
    let equals: Vec<_> = equals(text, &lines);
    let mut out = String::with_capacity(text.len() + 64);
    for (at, line) in lines.iter().enumerate() {
        match equals[at] {
            Some(place) => {
                let group = |step: fn(usize, usize) -> Option<usize>| {
                    (1..).map_while(move |by| step(at, by)).map_while(|near| equals.get(near).copied().flatten())
                };
                let widest = group(usize::checked_sub).chain(group(usize::checked_add)).fold(place, usize::max);
                let (name, value) = line.split_at(place);
                out.push_str(name);
                out.extend(std::iter::repeat_n(' ', widest - place + 1));
                out.push_str(value.trim_start());
            }
            None => out.push_str(line),
        }
        out.push('\n');
    }
    out
}

/// The lines that stay, without what nobody sees at their ends.
fn whole_lines(text: &str) -> Vec<&str> {
    let mut lines: Vec<&str> = Vec::new();
    for line in text.lines().map(str::trim_end) {
        let closes = line.trim_start().starts_with(['}', ']']);
        let is_blank = line.is_empty();
        while lines.last().is_some_and(|last| last.is_empty()) && (closes || is_blank) {
            lines.pop();
        }
        lines.push(line);
    }
    while lines.last().is_some_and(|last| last.is_empty()) {
        lines.pop();
    }
    lines
}

/// For each line that is an attribute as a whole: the end of its name.
fn equals(text: &str, lines: &[&str]) -> Vec<Option<usize>> {
    let joined = lines.join("\n");
    let source = Source::new("alloy", joined.as_str());
    let Ok((lexemes, _)) = lex(&source) else { return vec![None; text.lines().count()] };
    let mut start = 0;
    let mut words = lexemes.iter().peekable();
    let of_line = |line: &&str| {
        let range = start..start + line.len();
        start = range.end + 1;
        let mut here = Vec::new();
        while let Some(word) = words.next_if(|word| word.range.start < range.end || word.range.is_empty()) {
            here.push((&word.word, word.range.clone()));
        }
        // The end of the line.
        words.next_if(|word| word.word == Word::End);
        attribute(&here).map(|name| name.end - range.start)
    };
    lines.iter().map(of_line).collect()
}

/// The name of an attribute, if these words are one from its beginning to its end.
fn attribute(words: &[(&Word, Range<usize>)]) -> Option<Range<usize>> {
    let [(Word::Name | Word::Text, name), (Word::Sign("="), _), value @ ..] = words else { return None };
    let depth = |(word, _): &(&Word, Range<usize>)| match word {
        Word::Sign("{" | "[" | "(") => 1,
        Word::Sign("}" | "]" | ")") => -1,
        _ => 0,
    };
    (value.iter().map(depth).sum::<i32>() == 0).then(|| name.clone())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attributes_stand_in_line() {
        let text = "a {\n\tb = 1  \n\n\n\tlong = [1, 2]\n\tc = \"x\"\n\t\n\tmap = {\n\t\tx = f(1),\n\t\t\"yy\" = 2,\n\t}\n\tsource = \"/*\"\n\n}\n\n\n";
        let expected = "a {\n\tb = 1\n\n\tlong = [1, 2]\n\tc    = \"x\"\n\n\tmap = {\n\t\tx    = f(1),\n\t\t\"yy\" = 2,\n\t}\n\tsource = \"/*\"\n}\n";
        assert_eq!(tidy(text), expected);
        assert_eq!(tidy(expected), expected);
    }

    #[test]
    fn what_may_hold_anything_stays() {
        for text in ["a = `b  \n  c`\nlonger = 1\n", "/* a  \n*/\nb = 1\nlonger = 1\n"] {
            assert_eq!(tidy(text), text);
        }
    }
}
