//! Regular expressions of Go, and the same for Rust.
//!
//! Source: `regexp/syntax.Parse` with the flags of `regexp.Compile`, of Go 1.26. Prometheus, Loki, Alertmanager and the
//! patterns in definitions of custom resources are read by it.

use std::fmt;

/// What is known of an expression.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Regex {
    /// The same expression in the words of Rust's `regex`, that need no tables of Unicode but for `\p`.
    pub rust: String,
    /// An empty text matches it as a whole.
    pub matches_empty: bool,
    /// Its groups that capture what they match, in their order; with their names, if they have any.
    pub groups: Vec<Option<String>>,
}

/// Why a text is no expression, with the part of it that is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Wrong {
    /// `[` without `]`.
    Bracket(String),
    /// `(` without `)`.
    Open,
    /// `)` without `(`.
    Close,
    /// An escape that Go does not know, such as `\1` and `\e`.
    Escape(String),
    /// A class that does not exist, or a range whose end is before its start.
    Class(String),
    /// A repetition of nothing.
    Operand(String),
    /// A repetition of a repetition, such as `a**` and `a++`.
    Repeated(String),
    /// A repetition of more than 1000 times, or a smallest number above the largest.
    Times(String),
    /// `(?…` that Go does not know, such as `(?=` and `(?<!`.
    Group(String),
    /// A backslash at the end.
    Backslash,
    /// More than 1000 groups inside of each other.
    Depth,
}

impl fmt::Display for Wrong {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bracket(part) => write!(out, "`{part}` has no closing `]`"),
            Self::Open => out.write_str("a `(` is not closed"),
            Self::Close => out.write_str("a `)` closes nothing"),
            Self::Escape(part) => write!(out, "Go has no escape `{part}`"),
            Self::Class(part) => write!(out, "`{part}` is no class or range"),
            Self::Operand(part) => write!(out, "`{part}` repeats nothing"),
            Self::Repeated(part) => write!(out, "`{part}` repeats a repetition"),
            Self::Times(part) => write!(out, "`{part}` is no number of times up to 1000"),
            Self::Group(part) => write!(out, "Go has no group `{part}`"),
            Self::Backslash => out.write_str("a backslash at the end escapes nothing"),
            Self::Depth => out.write_str("more than 1000 groups are inside of each other"),
        }
    }
}

const MOST: u64 = 1000;

/// Reads an expression as `regexp.Compile` does.
///
/// # Errors
/// The first thing that is wrong.
pub fn go(text: &str) -> Result<Regex, Wrong> {
    let mut reader = Reader {
        out: String::with_capacity(text.len() + 8),
        groups: Vec::new(),
        here: Level::default(),
        captures: Vec::new(),
    };
    let mut rest = text;
    // What repeated last, if nothing came behind it.
    let mut repeated: Option<&str> = None;
    while let Some(first) = rest.chars().next() {
        let start = rest;
        let mut repeats = None;
        let after = &rest[first.len_utf8()..];
        rest = match first {
            '(' if after.starts_with('?') => reader.group(start)?,
            '(' => {
                reader.captures.push(None);
                reader.open("(?:")?;
                after
            }
            ')' => {
                reader.close()?;
                after
            }
            '|' => {
                reader.here.next_choice();
                reader.out.push('|');
                after
            }
            '^' | '$' => {
                reader.atom(true);
                reader.out.push(first);
                after
            }
            '.' => {
                reader.atom(false);
                reader.out.push('.');
                after
            }
            '[' => {
                reader.atom(false);
                class(&mut reader.out, start)?
            }
            '*' | '+' | '?' => {
                repeats = Some(start);
                let times = if first == '+' { Times { least: 1, most: None } } else { Times { least: 0, most: None } };
                reader.repeat(start, after, times, repeated, false)?
            }
            '{' => {
                if let Some((times, after)) = times(start) {
                    repeats = Some(start);
                    reader.repeat(start, after, times, repeated, true)?
                } else {
                    reader.atom(false);
                    reader.out.push_str("\\{");
                    after
                }
            }
            '\\' => reader.escape(start)?,
            _ => {
                reader.atom(false);
                literal(&mut reader.out, first);
                after
            }
        };
        repeated = repeats;
    }
    if !reader.groups.is_empty() {
        return Err(Wrong::Open);
    }
    Ok(Regex { matches_empty: reader.here.any_empty(), rust: reader.out, groups: reader.captures })
}

/// What is known of a part of an expression: whether it matches an empty text, and how many copies of its innermost part
/// its counted repetitions make.
#[derive(Clone, Copy)]
struct Atom {
    empty: bool,
    copies: u64,
}

/// What stands between two parentheses.
struct Level {
    /// One of the choices before this one matches an empty text.
    earlier: bool,
    /// What was read of this choice matches an empty text; without its last part.
    empty: bool,
    copies: u64,
    last: Option<Atom>,
}

impl Default for Level {
    fn default() -> Self {
        Self { earlier: false, empty: true, copies: 1, last: None }
    }
}

impl Level {
    fn push(&mut self, atom: Option<Atom>) {
        if let Some(last) = std::mem::replace(&mut self.last, atom) {
            self.empty &= last.empty;
            self.copies = self.copies.max(last.copies);
        }
    }

    fn next_choice(&mut self) {
        self.push(None);
        self.earlier |= self.empty;
        self.empty = true;
    }

    /// Whether one of the choices matches an empty text.
    fn any_empty(mut self) -> bool {
        self.next_choice();
        self.earlier
    }
}

/// How often something is repeated; without a largest number where there is none.
#[derive(Clone, Copy)]
struct Times {
    least: u64,
    most: Option<u64>,
}

struct Reader {
    out: String,
    groups: Vec<Level>,
    here: Level,
    captures: Vec<Option<String>>,
}

impl Reader {
    fn atom(&mut self, empty: bool) {
        self.here.push(Some(Atom { empty, copies: 1 }));
    }

    fn open(&mut self, group: &str) -> Result<(), Wrong> {
        if self.groups.len() as u64 >= MOST {
            return Err(Wrong::Depth);
        }
        self.out.push_str(group);
        self.groups.push(std::mem::take(&mut self.here));
        Ok(())
    }

    fn close(&mut self) -> Result<(), Wrong> {
        let outer = self.groups.pop().ok_or(Wrong::Close)?;
        let mut inner = std::mem::replace(&mut self.here, outer);
        inner.push(None);
        let copies = inner.copies;
        self.here.push(Some(Atom { empty: inner.any_empty(), copies }));
        self.out.push(')');
        Ok(())
    }

    /// `(?flags)`, `(?flags:`, `(?P<name>` or `(?<name>`.
    fn group<'t>(&mut self, text: &'t str) -> Result<&'t str, Wrong> {
        let named = text.strip_prefix("(?P<").or_else(|| text.strip_prefix("(?<"));
        if let Some(named) = named {
            let part = || Wrong::Group(text.split_inclusive('>').next().unwrap_or(text).to_owned());
            let end = named.find('>').ok_or_else(part)?;
            let name = &named[..end];
            if name.is_empty() || !name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') {
                return Err(part());
            }
            self.captures.push(Some(name.to_owned()));
            self.open("(?:")?;
            return Ok(&named[end + 1..]);
        }
        let (mut negated, mut seen) = (false, false);
        for (at, c) in text.char_indices().skip(2) {
            match c {
                'i' | 'm' | 's' | 'U' => seen = true,
                '-' if !negated => (negated, seen) = (true, false),
                ':' | ')' if seen || !negated => {
                    let group = &text[..=at];
                    match c {
                        ':' => self.open(group)?,
                        // Without flags it says nothing, and Rust knows no such group.
                        _ if seen => self.out.push_str(group),
                        _ => {}
                    }
                    return Ok(&text[at + 1..]);
                }
                _ => return Err(Wrong::Group(text[..at + c.len_utf8()].to_owned())),
            }
        }
        Err(Wrong::Group(text.to_owned()))
    }

    fn repeat<'t>(
        &mut self,
        start: &'t str,
        after: &'t str,
        times: Times,
        repeated: Option<&'t str>,
        counted: bool,
    ) -> Result<&'t str, Wrong> {
        let after = after.strip_prefix('?').unwrap_or(after);
        let part = |from: &str| from[..from.len() - after.len()].to_owned();
        let Times { least, most } = times;
        if least > MOST || most.is_some_and(|most| most > MOST || least > most) {
            return Err(Wrong::Times(part(start)));
        }
        if let Some(repeated) = repeated {
            return Err(Wrong::Repeated(part(repeated)));
        }
        let Some(last) = &mut self.here.last else { return Err(Wrong::Operand(part(start))) };
        last.empty |= least == 0;
        if counted {
            last.copies = match most.unwrap_or(least) {
                0 if most.is_some() => 1,
                times => last.copies * times.max(1),
            };
            if (least >= 2 || most.is_some_and(|most| most >= 2)) && last.copies > MOST {
                return Err(Wrong::Times(part(start)));
            }
        }
        self.out.push_str(&part(start));
        Ok(after)
    }

    /// What a backslash outside of a class begins.
    fn escape<'t>(&mut self, text: &'t str) -> Result<&'t str, Wrong> {
        let after = &text[1..];
        let simple = match after.chars().next() {
            Some('A' | 'z') => Some((true, &text[..2])),
            Some('b') => Some((false, "(?-u:\\b)")),
            Some('B') => Some((true, "(?-u:\\B)")),
            _ => None,
        };
        if let Some((empty, word)) = simple {
            self.atom(empty);
            self.out.push_str(word);
            return Ok(&after[1..]);
        }
        if let Some(quoted) = after.strip_prefix('Q') {
            let (quoted, rest) = quoted.split_once("\\E").unwrap_or((quoted, ""));
            for c in quoted.chars() {
                self.atom(false);
                literal(&mut self.out, c);
            }
            return Ok(rest);
        }
        self.atom(false);
        if let Some(rest) = group(&mut self.out, text)? {
            return Ok(rest);
        }
        let (c, rest) = escaped(text)?;
        literal(&mut self.out, c);
        Ok(rest)
    }
}

/// A character that stands for itself.
fn literal(out: &mut String, c: char) {
    if c.is_ascii_punctuation() && !matches!(c, '<' | '>') {
        out.push('\\');
    }
    out.push(c);
}

/// `{2}`, `{2,}` or `{2,5}`, and what comes behind it; anything else is a brace. A number that is too large is one above
/// the largest that may be.
fn times(text: &str) -> Option<(Times, &str)> {
    let number = |text: &str| {
        let plain = text.bytes().all(|b| b.is_ascii_digit()) && !(text.len() > 1 && text.starts_with('0'));
        (plain && !text.is_empty()).then(|| text.parse().unwrap_or(u64::MAX).min(MOST + 1))
    };
    let (inner, after) = text.strip_prefix('{')?.split_once('}')?;
    let times = match inner.split_once(',') {
        None => number(inner).map(|times| Times { least: times, most: Some(times) })?,
        Some((least, "")) => Times { least: number(least)?, most: None },
        Some((least, most)) => Times { least: number(least)?, most: Some(number(most)?) },
    };
    Some((times, after))
}

/// The character of an escape, and what comes behind it.
fn escaped(text: &str) -> Result<(char, &str), Wrong> {
    let after = &text[1..];
    let Some(c) = after.chars().next() else { return Err(Wrong::Backslash) };
    let rest = &after[c.len_utf8()..];
    let wrong = |length: usize| Wrong::Escape(text.chars().take(length).collect());
    let octal = |c: &char| matches!(c, '0'..='7');
    let plain = match c {
        'a' => '\x07',
        'f' => '\x0c',
        'n' => '\n',
        'r' => '\r',
        't' => '\t',
        'v' => '\x0b',
        // A single digit would be what a group matched, which Go does not know.
        '1'..='7' if !rest.starts_with(|c| octal(&c)) => return Err(wrong(2)),
        '0'..='7' => {
            let digits: String = after.chars().take(3).take_while(octal).collect();
            let number = u32::from_str_radix(&digits, 8).ok().and_then(char::from_u32);
            return Ok((number.ok_or_else(|| wrong(4))?, &after[digits.len()..]));
        }
        'x' => {
            let (digits, tail) = match rest.strip_prefix('{') {
                Some(inner) => inner.split_once('}').ok_or_else(|| wrong(4))?,
                None => rest.split_at_checked(2).ok_or_else(|| wrong(4))?,
            };
            let is_number = !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_hexdigit());
            let number = is_number.then(|| u32::from_str_radix(digits, 16).ok()).flatten();
            // Half of a pair of UTF-16 is a number to Go, and matches no text.
            let number = number.filter(|number| *number <= 0x10_FFFF).ok_or_else(|| wrong(6))?;
            return Ok((char::from_u32(number).unwrap_or(char::REPLACEMENT_CHARACTER), tail));
        }
        _ if c.is_ascii() && !c.is_ascii_alphanumeric() => c,
        _ => return Err(wrong(2)),
    };
    Ok((plain, rest))
}

/// Writes the class that an escape names, such as `\d` and `\p{Greek}`, and gives what comes behind it; nothing if it
/// names none. Go's are of ASCII.
fn group<'t>(out: &mut String, text: &'t str) -> Result<Option<&'t str>, Wrong> {
    let after = &text[1..];
    let Some(c) = after.chars().next() else { return Ok(None) };
    let perl = match c {
        'd' => "[0-9]",
        'D' => "[^0-9]",
        's' => "[\\t\\n\\x0C\\r ]",
        'S' => "[^\\t\\n\\x0C\\r ]",
        'w' => "[0-9A-Za-z_]",
        'W' => "[^0-9A-Za-z_]",
        'p' | 'P' => {
            let named = &after[1..];
            let Some(first) = named.chars().next() else { return Err(Wrong::Class(text.to_owned())) };
            let (name, rest) = match named.strip_prefix('{') {
                Some(inner) => inner.split_once('}').ok_or_else(|| Wrong::Class(text.to_owned()))?,
                None => named.split_at(first.len_utf8()),
            };
            let seq = || text[..text.len() - rest.len()].to_owned();
            let (negated, name) = name.strip_prefix('^').map_or((false, name), |name| (true, name));
            if !is_class(name) {
                return Err(Wrong::Class(seq()));
            }
            out.push_str(if (c == 'P') == negated { "\\p{" } else { "\\P{" });
            out.push_str(name);
            out.push('}');
            return Ok(Some(rest));
        }
        _ => return Ok(None),
    };
    out.push_str(perl);
    Ok(Some(&after[1..]))
}

/// Writes the class that a text begins with, and gives what comes behind it.
fn class<'t>(out: &mut String, text: &'t str) -> Result<&'t str, Wrong> {
    let open = || Wrong::Bracket(text.to_owned());
    let negated = text[1..].starts_with('^');
    out.push_str(if negated { "[^" } else { "[" });
    let mut rest = &text[if negated { 2 } else { 1 }..];
    let mut first = true;
    loop {
        if let Some(rest) = rest.strip_prefix(']').filter(|_| !first) {
            out.push(']');
            return Ok(rest);
        }
        first = false;
        if let Some(end) = rest.strip_prefix("[:").and_then(|named| named.find(":]")) {
            let name = &rest[..end + 4];
            if !POSIX.contains(&name[2..end + 2].trim_start_matches('^')) || name.starts_with("[:^^") {
                return Err(Wrong::Class(name.to_owned()));
            }
            out.push_str(name);
            rest = &rest[end + 4..];
            continue;
        }
        if rest.starts_with('\\')
            && let Some(after) = group(out, rest)?
        {
            rest = after;
            continue;
        }
        let from = rest;
        let (low, after) = character(rest).unwrap_or_else(|| Err(open()))?;
        rest = after;
        let mut high = low;
        if let Some(after) = rest.strip_prefix('-').filter(|after| !after.is_empty() && !after.starts_with(']')) {
            (high, rest) = character(after).unwrap_or_else(|| Err(open()))?;
            if high < low {
                return Err(Wrong::Class(from[..from.len() - rest.len()].to_owned()));
            }
        }
        literal(out, low);
        if high != low {
            out.push('-');
            literal(out, high);
        }
    }
}

/// The character in a class that a text begins with, and what comes behind it; nothing at its end.
fn character(text: &str) -> Option<Result<(char, &str), Wrong>> {
    let c = text.chars().next()?;
    Some(if c == '\\' { escaped(text) } else { Ok((c, &text[c.len_utf8()..])) })
}

const POSIX: [&str; 14] = [
    "alnum", "alpha", "ascii", "blank", "cntrl", "digit", "graph", "lower", "print", "punct", "space", "upper", "word",
    "xdigit",
];

/// Whether `\p{…}` may have this name: of a category or a script of Unicode 15. Go 1.25 takes some in other words as well,
/// which the programs that matter here do not.
fn is_class(name: &str) -> bool {
    CATEGORIES.split_ascii_whitespace().chain(SCRIPTS.split_ascii_whitespace()).any(|one| one == name)
}

/// `Any`, and `unicode.Categories` of Go 1.24.
const CATEGORIES: &str = "\
    Any C Cc Cf Co Cs L Ll Lm Lo Lt Lu M Mc Me Mn N Nd Nl No P Pc Pd Pe Pf Pi Po Ps S Sc Sk Sm So Z Zl Zp Zs";

/// `unicode.Scripts`.
const SCRIPTS: &str = "\
    Adlam Ahom Anatolian_Hieroglyphs Arabic Armenian Avestan Balinese Bamum Bassa_Vah Batak Bengali Bhaiksuki \
    Bopomofo Brahmi Braille Buginese Buhid Canadian_Aboriginal Carian Caucasian_Albanian Chakma Cham Cherokee \
    Chorasmian Common Coptic Cuneiform Cypriot Cypro_Minoan Cyrillic Deseret Devanagari Dives_Akuru Dogra Duployan \
    Egyptian_Hieroglyphs Elbasan Elymaic Ethiopic Georgian Glagolitic Gothic Grantha Greek Gujarati Gunjala_Gondi \
    Gurmukhi Han Hangul Hanifi_Rohingya Hanunoo Hatran Hebrew Hiragana Imperial_Aramaic Inherited \
    Inscriptional_Pahlavi Inscriptional_Parthian Javanese Kaithi Kannada Katakana Kawi Kayah_Li Kharoshthi \
    Khitan_Small_Script Khmer Khojki Khudawadi Lao Latin Lepcha Limbu Linear_A Linear_B Lisu Lycian Lydian Mahajani \
    Makasar Malayalam Mandaic Manichaean Marchen Masaram_Gondi Medefaidrin Meetei_Mayek Mende_Kikakui \
    Meroitic_Cursive Meroitic_Hieroglyphs Miao Modi Mongolian Mro Multani Myanmar Nabataean Nag_Mundari Nandinagari \
    New_Tai_Lue Newa Nko Nushu Nyiakeng_Puachue_Hmong Ogham Ol_Chiki Old_Hungarian Old_Italic Old_North_Arabian \
    Old_Permic Old_Persian Old_Sogdian Old_South_Arabian Old_Turkic Old_Uyghur Oriya Osage Osmanya Pahawh_Hmong \
    Palmyrene Pau_Cin_Hau Phags_Pa Phoenician Psalter_Pahlavi Rejang Runic Samaritan Saurashtra Sharada Shavian \
    Siddham SignWriting Sinhala Sogdian Sora_Sompeng Soyombo Sundanese Syloti_Nagri Syriac Tagalog Tagbanwa Tai_Le \
    Tai_Tham Tai_Viet Takri Tamil Tangsa Tangut Telugu Thaana Thai Tibetan Tifinagh Tirhuta Toto Ugaritic Vai \
    Vithkuqi Wancho Warang_Citi Yezidi Yi Zanabazar_Square";

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn as_go_translates() {
        for (text, rust) in [
            ("web-.+", r"web\-.+"),
            ("a{2}b{x}", r"a{2}b\{x\}"),
            ("[[a]", r"[\[a]"),
            ("[^]a]", r"[^\]a]"),
            ("[a&&b]", r"[a\&\&b]"),
            ("[+--]", r"[\+-\-]"),
            (r"\d+\.\w", r"[0-9]+\.[0-9A-Za-z_]"),
            (r"[\d-z]", r"[[0-9]\-z]"),
            (r"\Qa.b\E*", r"a\.b*"),
            (r"(?P<n>a)(?<n>b)(c)", "(?:a)(?:b)(?:c)"),
            ("(?i-s:a)(?U)b", "(?i-s:a)(?U)b"),
            (r"\b\pL\P{^Greek}", r"(?-u:\b)\p{L}\p{Greek}"),
            (r"\x41\x{e9}\07\012", "Aé\u{7}\n"),
            ("a??b+?", "a??b+?"),
        ] {
            assert_eq!(go(text).map(|it| it.rust), Ok(rust.to_owned()), "{text}");
        }
    }

    #[test]
    fn groups_that_capture() {
        for (text, groups) in
            [("a", vec![]), (r"(?:a)\(b\)[(]", vec![]), ("(a)(?P<n>b(?<m>c))(?i:d)", vec![None, Some("n"), Some("m")])]
        {
            let found = go(text).unwrap().groups;
            assert_eq!(found.iter().map(Option::as_deref).collect::<Vec<_>>(), groups, "{text}");
        }
    }

    #[test]
    fn empty_texts() {
        for (text, empty) in [
            ("", true),
            ("a", false),
            ("a*", true),
            ("a|", true),
            ("(a|b?)c{0,2}", true),
            ("(a|b?)c{1,2}", false),
            ("^$", true),
            (r"\b", false),
            (r"\B", true),
            ("(?:a?){3}", true),
            (".+", false),
            (".*", true),
            ("a(?i)*", true),
        ] {
            assert_eq!(go(text).map(|it| it.matches_empty), Ok(empty), "{text}");
        }
    }

    #[test]
    fn what_go_refuses() {
        let part = |text: &str| text.to_owned();
        for (text, wrong) in [
            ("(", Wrong::Open),
            ("a)", Wrong::Close),
            ("[a", Wrong::Bracket(part("[a"))),
            ("[]", Wrong::Bracket(part("[]"))),
            ("*", Wrong::Operand(part("*"))),
            ("a|*", Wrong::Operand(part("*"))),
            ("(+)", Wrong::Operand(part("+"))),
            ("{1}", Wrong::Operand(part("{1}"))),
            ("a**", Wrong::Repeated(part("**"))),
            ("a{2}{3}", Wrong::Repeated(part("{2}{3}"))),
            ("a{3,1}", Wrong::Times(part("{3,1}"))),
            ("a{1001}", Wrong::Times(part("{1001}"))),
            ("(a{1000}){2}", Wrong::Times(part("{2}"))),
            ("(?=a)", Wrong::Group(part("(?="))),
            ("(?<!a)", Wrong::Group(part("(?<!a)"))),
            ("(?-)", Wrong::Group(part("(?-)"))),
            ("(?i", Wrong::Group(part("(?i"))),
            (r"\1", Wrong::Escape(part(r"\1"))),
            (r"\E", Wrong::Escape(part(r"\E"))),
            (r"[\b]", Wrong::Escape(part(r"\b"))),
            (r"\", Wrong::Backslash),
            ("[z-a]", Wrong::Class(part("z-a"))),
            ("[[:foo:]]", Wrong::Class(part("[:foo:]"))),
            (r"\p{Foo}", Wrong::Class(part(r"\p{Foo}"))),
        ] {
            assert_eq!(go(text), Err(wrong), "{text}");
        }
        assert_eq!(go(&"(".repeat(1001)), Err(Wrong::Depth));
    }

    proptest! {
        #[test]
        fn nothing_panics(text in "[a-c0-2(){}\\[\\]|*+?^$.\\\\,:<>PQEpdDbx-]{0,24}|\\PC{0,24}") {
            let _ = go(&text);
        }
    }
}
