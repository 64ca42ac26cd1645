//! Moments as people in this place write them. The only file of the screen that knows a time zone.

use std::fs;

use jiff::Timestamp;
use jiff::civil::{Date, Time};
use jiff::tz::TimeZone;

use crate::pipeline::Moment;

/// Where machines keep the rules of the zone that they are in.
const ZONE: &str = "/etc/localtime";

/// Turns moments into local clock text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Clock {
    zone: TimeZone,
}

impl Clock {
    /// The clock of this machine.
    pub(super) fn local() -> Self {
        // The library looks for the name of the zone among all that the machine has, and nothing here needs a name: without
        // the look, the first frame comes three milliseconds sooner.
        let file = std::env::var_os("TZ").is_none().then(|| fs::read(ZONE).ok()).flatten();
        let zone = file.and_then(|bytes| TimeZone::tzif("local", &bytes).ok());
        Self { zone: zone.unwrap_or_else(TimeZone::system) }
    }

    /// A clock that shows UTC.
    #[cfg(test)]
    pub(super) fn utc() -> Self {
        Self { zone: TimeZone::UTC }
    }

    /// `21:04:11`.
    pub(super) fn time(&self, moment: Moment) -> String {
        self.parts(moment).map_or_else(|| "--:--:--".to_owned(), |parts| parts.time)
    }

    /// `21:04:11` on the day of `now`, else `2026-11-23`.
    pub(super) fn when(&self, moment: Moment, now: Moment) -> String {
        match (self.parts(moment), self.parts(now)) {
            (Some(parts), Some(today)) if parts.date == today.date => parts.time,
            (Some(parts), _) => parts.date,
            (None, _) => "unknown".to_owned(),
        }
    }

    /// `2026-11-23 21:04:11`.
    pub(super) fn date_and_time(&self, moment: Moment) -> String {
        self.parts(moment).map_or_else(|| "unknown".to_owned(), |parts| format!("{} {}", parts.date, parts.time))
    }

    /// The moment of a time of day, in hours, minutes and seconds, so many days before that of `now`; `None` if there is no
    /// such time.
    pub(super) fn days_before(&self, now: Moment, days: u32, time: [i8; 3]) -> Option<Moment> {
        let mut date = Timestamp::from_millisecond(now.0).ok()?.to_zoned_datetime(self.zone.clone()).date();
        for _ in 0..days {
            date = date.yesterday().ok()?;
        }
        self.moment(date, time)
    }

    /// The moment of a time of a day that is written as `2026-11-23`; `None` if there is no such day.
    pub(super) fn on_date(&self, date: &str, time: [i8; 3]) -> Option<Moment> {
        self.moment(date.parse().ok()?, time)
    }

    fn moment(&self, date: Date, [hour, minute, second]: [i8; 3]) -> Option<Moment> {
        let time = Time::new(hour, minute, second, 0).ok()?;
        let zoned = date.to_datetime(time).to_zoned_datetime(self.zone.clone()).ok()?;
        Some(Moment(zoned.timestamp().as_millisecond()))
    }

    fn parts(&self, moment: Moment) -> Option<Parts> {
        let zoned = Timestamp::from_millisecond(moment.0).ok()?.to_zoned_datetime(self.zone.clone());
        Some(Parts {
            date: format!("{:04}-{:02}-{:02}", zoned.year(), zoned.month(), zoned.day()),
            time: format!("{:02}:{:02}:{:02}", zoned.hour(), zoned.minute(), zoned.second()),
        })
    }
}

struct Parts {
    date: String,
    time: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_day_is_shown_by_its_date() {
        let clock = Clock::utc();
        let moment = Moment(1_700_000_000_000);
        assert_eq!(clock.time(moment), "22:13:20");
        assert_eq!(clock.when(moment, moment.plus(60_000)), "22:13:20");
        assert_eq!(clock.when(moment, moment.plus(86_400_000)), "2023-11-14");
    }

    #[test]
    fn a_moment_beyond_all_calendars_is_harmless() {
        assert_eq!(Clock::utc().time(Moment(i64::MAX)), "--:--:--");
    }
}
