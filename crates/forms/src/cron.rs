//! Schedules of CronJobs.

use crate::duration;

/// A field of a schedule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Field {
    /// What it counts.
    pub name: &'static str,
    /// The least number.
    pub least: u64,
    /// The largest number.
    pub most: u64,
    /// Names for the numbers from the least on.
    names: &'static [&'static str],
}

/// The fields of a schedule, in their order.
const FIELDS: [Field; 5] = [
    Field { name: "minute", least: 0, most: 59, names: &[] },
    Field { name: "hour", least: 0, most: 23, names: &[] },
    Field { name: "day of the month", least: 1, most: 31, names: &[] },
    Field {
        name: "month",
        least: 1,
        most: 12,
        names: &["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"],
    },
    Field { name: "day of the week", least: 0, most: 6, names: &["sun", "mon", "tue", "wed", "thu", "fri", "sat"] },
];

/// Words that may stand after `@`, besides `every` and a duration of Go.
const WORDS: [&str; 7] = ["yearly", "annually", "monthly", "weekly", "daily", "midnight", "hourly"];

/// What is wrong with a schedule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wrong<'a> {
    /// An empty text.
    Empty,
    /// After `@`, neither a word such as `daily` nor `every` with a duration of Go.
    Word,
    /// So many fields, which are not five.
    Fields(usize),
    /// A field, and what in it is none of its numbers, names, ranges and steps.
    Field(Field, &'a str),
}

/// Whether a controller can follow a schedule: five fields, each of numbers, names, ranges, lists and steps, or a word
/// after `@`. `ParseStandard` of github.com/robfig/cron, without the time zone before it, which an API server refuses.
pub fn check(text: &str) -> Result<(), Wrong<'_>> {
    if text.is_empty() {
        return Err(Wrong::Empty);
    }
    if let Some(word) = text.strip_prefix('@') {
        let is_every = word.strip_prefix("every ").is_some_and(|time| duration::go(time).is_ok());
        return if is_every || WORDS.contains(&word) { Ok(()) } else { Err(Wrong::Word) };
    }
    let count = text.split_whitespace().count();
    if count != FIELDS.len() {
        return Err(Wrong::Fields(count));
    }
    for (parts, field) in text.split_whitespace().zip(FIELDS) {
        let wrong = parts.split(',').find(|part| !part.is_empty() && !field.has(part));
        if let Some(part) = wrong {
            return Err(Wrong::Field(field, part));
        }
    }
    Ok(())
}

impl Field {
    /// Whether it can hold a part: `*`, `5`, `mon-fri`, `*/5`, `0-30/10`.
    fn has(&self, part: &str) -> bool {
        let (range, step) = part.split_once('/').map_or((part, None), |(range, step)| (range, Some(step)));
        let (from, to) = range.split_once('-').map_or((range, None), |(from, to)| (from, Some(to)));
        let is_step = step.is_none_or(|step| step.parse::<u64>().is_ok_and(|step| step > 0));
        if matches!(from, "*" | "?") {
            return is_step;
        }
        let Some(start) = self.number(from) else { return false };
        let end = match to {
            Some(to) => self.number(to),
            None if step.is_some() => Some(self.most),
            None => Some(start),
        };
        is_step && end.is_some_and(|end| self.least <= start && start <= end && end <= self.most)
    }

    fn number(&self, text: &str) -> Option<u64> {
        let name = self.names.iter().zip(self.least..).find(|(name, _)| text.eq_ignore_ascii_case(name));
        name.map(|(_, number)| number).or_else(|| text.parse().ok())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn schedules() {
        for text in [
            "* * * * *",
            "*/5 * * * *",
            "0 3 * * 0-6",
            "0 0 1,15 * mon-FRI",
            "5-59/20 ? ? jan,dec *",
            "  0   0 1 1 0 ",
            "0/15 * * * *",
            "@hourly",
            "@every 1h30m",
            "+5 * * * *",
            ", * * * *",
        ] {
            assert_eq!(check(text), Ok(()), "{text}");
        }
        let [minute, hour, day, month, weekday] = FIELDS;
        for (text, wrong) in [
            ("", Wrong::Empty),
            (" ", Wrong::Fields(0)),
            ("* * * *", Wrong::Fields(4)),
            ("* * * * * *", Wrong::Fields(6)),
            ("60 * * * *", Wrong::Field(minute, "60")),
            ("* 24 * * *", Wrong::Field(hour, "24")),
            ("* * 0 * *", Wrong::Field(day, "0")),
            ("* * * 1,13 *", Wrong::Field(month, "13")),
            ("* * * * 7", Wrong::Field(weekday, "7")),
            ("*/0 * * * *", Wrong::Field(minute, "*/0")),
            ("10-5 * * * *", Wrong::Field(minute, "10-5")),
            ("a * * * *", Wrong::Field(minute, "a")),
            ("-1 * * * *", Wrong::Field(minute, "-1")),
            ("1-2-3 * * * *", Wrong::Field(minute, "1-2-3")),
            ("1/2/3 * * * *", Wrong::Field(minute, "1/2/3")),
            ("mon * * * *", Wrong::Field(minute, "mon")),
            ("@reboot", Wrong::Word),
            ("@Hourly", Wrong::Word),
            ("@every 1d", Wrong::Word),
            ("@every", Wrong::Word),
            ("@every 9999999999h", Wrong::Word),
        ] {
            assert_eq!(check(text), Err(wrong), "{text}");
        }
    }

    proptest! {
        #[test]
        fn numbers_in_their_range_are_taken(number in 0_u64..70, at in 0_usize..5) {
            let mut fields = ["*".to_owned(), "*".into(), "*".into(), "*".into(), "*".into()];
            fields[at] = number.to_string();
            let fits = (FIELDS[at].least..=FIELDS[at].most).contains(&number);
            prop_assert_eq!(check(&fields.join(" ")).is_ok(), fits);
        }

        #[test]
        fn any_text_is_read(text in r"@?[0-9a-z*?,/ -]{0,40}|\PC*") {
            let _ = check(&text);
        }
    }
}
