//! The schedules of CronJobs.

/// The fields of a schedule: least, most, and names for the numbers from the least on.
const SCHEDULE: [(&str, u64, u64, &[&str]); 5] = [
    ("minute", 0, 59, &[]),
    ("hour", 0, 23, &[]),
    ("day of the month", 1, 31, &[]),
    ("month", 1, 12, &["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]),
    ("day of the week", 0, 6, &["sun", "mon", "tue", "wed", "thu", "fri", "sat"]),
];

/// Says why an API server does not take the schedule of a CronJob, if it does not: it reads five fields, each of
/// numbers, names, ranges, lists and steps, or a word after `@`.
pub(crate) fn wrong_schedule(text: &str) -> Option<String> {
    if text.is_empty() {
        return Some("it is empty".to_owned());
    }
    if let Some(word) = text.strip_prefix('@') {
        let known = ["yearly", "annually", "monthly", "weekly", "daily", "midnight", "hourly"].contains(&word);
        let every = word.strip_prefix("every ").is_some_and(|time| vigil_forms::duration::go(time).is_ok());
        return (!known && !every).then(|| {
            "after `@` may stand yearly, monthly, weekly, daily, midnight, hourly or `every 1h30m`".to_owned()
        });
    }
    let fields: Vec<&str> = text.split_whitespace().collect();
    if fields.len() != SCHEDULE.len() {
        return Some(format!("it has {} of the five fields: minute, hour, day, month, day of the week", fields.len()));
    }
    fields.iter().zip(SCHEDULE).find_map(|(field, (name, least, most, names))| {
        let is_right = |part: &str| part.is_empty() || is_schedule_range(part, least, most, names);
        let wrong = field.split(',').find(|part| !is_right(part))?;
        let wrong: String = wrong.chars().take(40).collect();
        Some(format!("the {name} cannot be `{wrong}`: it is from {least} to {most}"))
    })
}

/// One part of a field: `*`, `5`, `mon-fri`, `*/5`, `0-30/10`.
fn is_schedule_range(part: &str, least: u64, most: u64, names: &[&str]) -> bool {
    let number = |text: &str| {
        let at = names.iter().position(|known| text.eq_ignore_ascii_case(known));
        match at.and_then(|at| u64::try_from(at).ok()) {
            Some(at) => Some(at + least),
            None => text.parse().ok(),
        }
    };
    let (range, step) = match part.split_once('/') {
        Some((range, step)) => (range, Some(step)),
        None => (part, None),
    };
    let (from, to) = match range.split_once('-') {
        Some((from, to)) => (from, Some(to)),
        None => (range, None),
    };
    let is_step = step.is_none_or(|step| step.parse::<u64>().is_ok_and(|step| step > 0));
    if matches!(from, "*" | "?") {
        return is_step;
    }
    let Some(start) = number(from) else { return false };
    let end = match to {
        Some(to) => number(to),
        None if step.is_some() => Some(most),
        None => Some(start),
    };
    is_step && end.is_some_and(|end| least <= start && start <= end && end <= most)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(is: impl Fn(&str) -> bool, right: &[&str], wrong: &[&str]) {
        for text in right {
            assert!(is(text), "{text:?}");
        }
        for text in wrong {
            assert!(!is(text), "{text:?}");
        }
    }

    #[test]
    fn schedules() {
        table(
            |text| wrong_schedule(text).is_none(),
            &[
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
            ],
            &[
                "",
                " ",
                "* * * *",
                "* * * * * *",
                "60 * * * *",
                "* 24 * * *",
                "* * 0 * *",
                "* * * 13 *",
                "* * * * 7",
                "*/0 * * * *",
                "10-5 * * * *",
                "a * * * *",
                "-1 * * * *",
                "1-2-3 * * * *",
                "1/2/3 * * * *",
                "mon * * * *",
                "@reboot",
                "@Hourly",
                "@every 1d",
                "@every",
            ],
        );
    }
}
