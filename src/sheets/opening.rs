//! Opening hours as recurrences, where they are that simple: days of the week with hours.

/// One span on some days of the week.
#[derive(Debug, PartialEq, Eq)]
pub struct Recurrence {
    /// The days as iCalendar names them: `MO,TU`.
    pub by_day: String,
    /// When it opens, `08:00`.
    pub opens: String,
    /// When it closes.
    pub closes: String,
}

const DAYS: [(&str, &str); 7] = [
    ("Mo", "MO"),
    ("Tu", "TU"),
    ("We", "WE"),
    ("Th", "TH"),
    ("Fr", "FR"),
    ("Sa", "SA"),
    ("Su", "SU"),
];

/// The recurrences, if every rule is days and hours; else none, and the text itself must say it.
pub fn recurrences(text: &str) -> Option<Vec<Recurrence>> {
    if text == "24/7" {
        let by_day = DAYS.map(|(_, day)| day).join(",");
        return Some(vec![span(by_day, "00:00", "24:00")?]);
    }
    let mut all: Vec<Recurrence> = Vec::new();
    for rule in text
        .split(';')
        .map(str::trim)
        .filter(|rule| !rule.is_empty())
    {
        let (days, hours) = rule.split_once(' ').unwrap_or(("Mo-Su", rule));
        let days = days_of(days)?;
        // A later rule for the same day takes the place of an earlier one.
        let is_said = |day: &&str| {
            all.iter()
                .any(|known| known.by_day.split(',').any(|d| d == *day))
        };
        if days.iter().any(is_said) {
            return None;
        }
        for hours in hours.split(',') {
            let (opens, closes) = hours.trim().split_once('-')?;
            all.push(span(days.join(","), opens, closes)?);
        }
    }
    (!all.is_empty()).then_some(all)
}

fn span(by_day: String, opens: &str, closes: &str) -> Option<Recurrence> {
    let is_time = |time: &str| {
        let digits = time.bytes().filter(u8::is_ascii_digit).count();
        time.len() == 5 && digits == 4 && time.as_bytes().get(2) == Some(&b':')
    };
    (is_time(opens) && is_time(closes)).then(|| Recurrence {
        by_day,
        opens: opens.to_owned(),
        closes: closes.to_owned(),
    })
}

/// `Mo-We,Sa`.
fn days_of(text: &str) -> Option<Vec<&'static str>> {
    let nth = |day: &str| DAYS.iter().position(|(osm, _)| *osm == day);
    let mut days = Vec::new();
    for part in text.split(',') {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        let (first, last) = (nth(first)?, nth(last)?);
        let mut at = first;
        loop {
            days.push(DAYS[at].1);
            if at == last {
                break;
            }
            at = (at + 1) % DAYS.len();
        }
    }
    Some(days)
}
