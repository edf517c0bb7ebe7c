//! Times at which something is so: somebody is told, a way to store things is used.

use super::text_unit;
use vigil_forms::calendar::{self, Wrong};

/// What is wrong with a range, in words.
fn reason(read: Result<(), Wrong>, order: &'static str) -> Result<(), &'static str> {
    read.map_err(|wrong| match wrong {
        Wrong::Form => "",
        Wrong::Order => order,
    })
}

text_unit! {
    /// A time of the day.
    ClockTime,
    expected: "a time of the day in quotes, such as `\"09:30\"`; the end of the day is `\"24:00\"`",
    pattern: r"^(([01][0-9]|2[0-3]):[0-5][0-9]|24:00)$",
    check: |text| calendar::time_of_day(text).map(drop).ok_or("")
}

impl ClockTime {
    /// The minutes since midnight.
    pub fn minutes(&self) -> u16 {
        calendar::time_of_day(self.as_str()).unwrap_or_default()
    }
}

text_unit! {
    /// A day.
    Date,
    expected: "a day such as `2026-01-31`",
    pattern: r"^[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])$",
    check: |text| if calendar::is_date(text) { Ok(()) } else { Err("") }
}

text_unit! {
    /// Days of the week.
    WeekdayRange,
    expected: "a day such as `saturday` or days such as `monday:friday`",
    pattern: r"^[A-Za-z]+(:[A-Za-z]+)?$",
    check: |text| reason(calendar::range(text, calendar::weekday), "the week begins on Sunday: write `saturday` and `sunday` apart")
}

text_unit! {
    /// Days of a month.
    DayRange,
    expected: "a day in quotes such as `\"1\"`, days such as `\"1:7\"`, or `\"-1\"` for the last day of the month",
    pattern: r"^-?[0-9]{1,2}(:-?[0-9]{1,2})?$",
    check: |text| reason(calendar::days_of_month(text), "it ends before it begins")
}

text_unit! {
    /// Months.
    MonthRange,
    expected: "a month such as `december`, or months such as `january:march`",
    pattern: r"^[A-Za-z0-9]+(:[A-Za-z0-9]+)?$",
    check: |text| reason(calendar::range(text, calendar::month_of_the_year), "a year begins in January: write both parts of it apart")
}

text_unit! {
    /// Years.
    YearRange,
    expected: "a year in quotes such as `\"2026\"`, or years such as `\"2026:2028\"`",
    pattern: r"^[0-9]{1,4}(:[0-9]{1,4})?$",
    check: |text| reason(calendar::range(text, calendar::whole_number), "it ends before it begins")
}

text_unit! {
    /// A time zone.
    TimeZone,
    expected: "a time zone such as `Europe/Berlin` or `UTC`",
    pattern: r"^[A-Za-z0-9._+-]+(/[A-Za-z0-9._+-]+)*$",
    check: |text| if calendar::is_time_zone(text) { Ok(()) } else { Err("") }
}
