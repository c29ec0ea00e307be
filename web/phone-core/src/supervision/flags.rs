//! What a leader should look at, computed from what the phone has of its hamlets. A flag says only that something is unusual
//! and why; whether it is wrong is for a person to find out.

use std::collections::BTreeMap;

use super::evidence::VisitEvidence;
use crate::household::Summary;
use crate::outcome::{self, Sense};
use crate::phone::Language;

/// Seconds that asking, hearing and noting one answer take at the least. Reading a question aloud takes about as long, so
/// that an interview below that was not held as it is written.
const SECONDS_PER_ANSWER: i64 = 4;
/// Metres from the middle of its hamlet within which a household is never far away.
const NEAR_METRES: f64 = 1_000.0;
/// Times the usual distance from the middle beyond which a household of a wide hamlet is far away.
const FAR_TIMES: f64 = 4.0;
/// Places of a hamlet that must be known before one can be far from the others.
const FEW_PLACES: usize = 5;
/// Visits of a volunteer that must be known before their outcomes say anything.
const FEW_VISITS: usize = 5;
/// Parts of a hundred of a volunteer's visits without an interview from which on they are unusual.
const FAILED_PERCENT: usize = 50;
/// The mean radius of the earth in metres.
const EARTH_METRES: f64 = 6_371_008.8;

/// A household that is looked at.
#[derive(Debug, Clone)]
pub(super) struct Subject<'a> {
    pub(super) unit: &'a str,
    pub(super) hamlet: &'a str,
    pub(super) address: &'a str,
    pub(super) summary: &'a Summary,
    /// Why the server did not take a change.
    pub(super) refused: Option<String>,
}

/// Something unusual about a household's interview.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Flag {
    /// The interview was shorter than its answers take.
    Quick { seconds: i64, answers: usize },
    /// It was told to be far from the hamlet's other households.
    FarAway { metres: f64 },
    /// People gave different answers.
    Conflicts(usize),
    /// The server did not take a change.
    Refused(String),
    /// Somebody lives in another household as well.
    SamePerson {
        name: String,
        birth_year: i64,
        address: String,
    },
}

impl Flag {
    /// The flag's name, the same in all languages.
    pub(super) fn kind(&self) -> &'static str {
        match self {
            Self::Quick { .. } => "quick",
            Self::FarAway { .. } => "far_away",
            Self::Conflicts(_) => "conflicts",
            Self::Refused(_) => "refused",
            Self::SamePerson { .. } => "same_person",
        }
    }

    /// The flag in words.
    pub(super) fn text(&self, language: Language) -> String {
        let vietnamese = language == Language::Vietnamese;
        match self {
            Self::Quick { seconds, answers } => {
                let least = span(*answers as i64 * SECONDS_PER_ANSWER, language);
                let took = span(*seconds, language);
                match vietnamese {
                    true => format!("Phỏng vấn chỉ {took} cho {answers} câu; thường phải trên {least}."),
                    false => format!("The interview took {took} for {answers} answers; {least} is the least usual."),
                }
            }
            Self::FarAway { metres } => {
                let kilometres = format!("{:.1}", metres / 1_000.0);
                match vietnamese {
                    true => format!(
                        "Nơi ghi phiếu cách giữa ấp, khu phố {} km, xa các hộ khác.",
                        kilometres.replace('.', ",")
                    ),
                    false => format!(
                        "It was recorded {kilometres} km from the middle of the hamlet, far from the other households."
                    ),
                }
            }
            Self::Conflicts(1) if !vietnamese => "People gave different answers to 1 question.".to_owned(),
            Self::Conflicts(count) => match vietnamese {
                true => format!("Có {count} câu mà hai người ghi khác nhau."),
                false => format!("People gave different answers to {count} questions."),
            },
            Self::Refused(why) => match vietnamese {
                true => format!("Máy chủ chưa nhận một thay đổi: {why}"),
                false => format!("The server did not take a change: {why}"),
            },
            Self::SamePerson {
                name,
                birth_year,
                address,
            } => match vietnamese {
                true => format!("{name}, sinh năm {birth_year}, cũng có trong phiếu của hộ {address}."),
                false => format!("{name}, born in {birth_year}, is also in the response of {address}."),
            },
        }
    }
}

/// A unit and where it is: latitude and longitude in degrees.
type Located<'a> = (&'a str, (f64, f64));

/// The flags of each household that has any, by unit.
pub(super) fn flags<'a>(subjects: &[Subject<'a>]) -> BTreeMap<&'a str, Vec<Flag>> {
    let mut found: BTreeMap<&str, Vec<Flag>> = BTreeMap::new();
    for subject in subjects {
        if let Some(flag) = quick(subject.summary) {
            found.entry(subject.unit).or_default().push(flag);
        }
    }
    let mut hamlets: BTreeMap<&str, Vec<Located<'_>>> = BTreeMap::new();
    for subject in subjects {
        if let Some(place) = place(subject.summary) {
            hamlets.entry(subject.hamlet).or_default().push((subject.unit, place));
        }
    }
    for places in hamlets.values() {
        for (unit, metres) in far_away(places) {
            found.entry(unit).or_default().push(Flag::FarAway { metres });
        }
    }
    for (unit, flag) in same_people(subjects) {
        found.entry(unit).or_default().push(flag);
    }
    for subject in subjects {
        if subject.summary.conflicts > 0 {
            let flag = Flag::Conflicts(subject.summary.conflicts);
            found.entry(subject.unit).or_default().push(flag);
        }
        if let Some(why) = &subject.refused {
            found.entry(subject.unit).or_default().push(Flag::Refused(why.clone()));
        }
    }
    found
}

/// What is unusual about a volunteer's visits, in words: how many of them came to nothing.
pub(super) fn failed_visits(visits: usize, failed: usize, language: Language) -> Option<String> {
    if visits < FEW_VISITS || failed * 100 < visits * FAILED_PERCENT {
        return None;
    }
    Some(match language {
        Language::Vietnamese => format!("{failed} trên {visits} lần đến không phỏng vấn được."),
        Language::English => format!("{failed} of {visits} visits came to no interview."),
    })
}

/// An interview that took less time than its answers need, all its visits together.
fn quick(summary: &Summary) -> Option<Flag> {
    let evidence = summary.evidence.as_ref()?;
    if !summary.complete || summary.sense() != Sense::Interview {
        return None;
    }
    let held = evidence.visits.iter().filter(|visit| is_interview(visit));
    let seconds = held
        .map(|visit| (visit.ended_at.saturating_sub(visit.started_at) / 1_000).max(0))
        .sum();
    let answers = evidence.answered;
    (seconds < answers as i64 * SECONDS_PER_ANSWER).then_some(Flag::Quick { seconds, answers })
}

/// Whether somebody answered on a visit.
pub(super) fn is_interview(visit: &VisitEvidence) -> bool {
    outcome::sense(&visit.outcome) == Sense::Interview
}

/// Where a household was visited: the last place that a visit told, or the one that was answered.
fn place(summary: &Summary) -> Option<(f64, f64)> {
    let visits = summary.evidence.iter().flat_map(|evidence| &evidence.visits);
    visits.filter_map(|visit| visit.place).next_back().or(summary.location)
}

/// Households far from the middle of their hamlet, and how far. The middle is the median in both directions, which a few
/// wrong places do not move; far is beyond both a kilometre and some times the median distance from there.
fn far_away<'a>(places: &[Located<'a>]) -> Vec<(&'a str, f64)> {
    if places.len() < FEW_PLACES {
        return Vec::new();
    }
    let middle = (
        median(places.iter().map(|(_, place)| place.0).collect()),
        median(places.iter().map(|(_, place)| place.1).collect()),
    );
    let away: Vec<f64> = places.iter().map(|(_, place)| distance(middle, *place)).collect();
    let far = NEAR_METRES.max(FAR_TIMES * median(away.clone()));
    let units = places.iter().map(|(unit, _)| *unit);
    units.zip(away).filter(|(_, metres)| *metres > far).collect()
}

/// People with one name and year of birth in more than one household.
fn same_people<'a>(subjects: &[Subject<'a>]) -> Vec<(&'a str, Flag)> {
    let mut homes: BTreeMap<(String, i64), Vec<&Subject<'a>>> = BTreeMap::new();
    for subject in subjects {
        for person in subject.summary.evidence.iter().flat_map(|evidence| &evidence.people) {
            let homes = homes.entry((plain(&person.name), person.birth_year)).or_default();
            if homes.iter().all(|home| home.unit != subject.unit) {
                homes.push(subject);
            }
        }
    }
    let mut found = Vec::new();
    for subject in subjects {
        for person in subject.summary.evidence.iter().flat_map(|evidence| &evidence.people) {
            let homes = homes.get(&(plain(&person.name), person.birth_year));
            let mut others = homes.into_iter().flatten().filter(|home| home.unit != subject.unit);
            if let Some(other) = others.next() {
                let flag = Flag::SamePerson {
                    name: person.name.clone(),
                    birth_year: person.birth_year,
                    address: other.address.to_owned(),
                };
                found.push((subject.unit, flag));
            }
        }
    }
    found
}

/// A name as it is compared: in small letters, with single spaces. Tones stay, for they make other names.
fn plain(name: &str) -> String {
    name.to_lowercase().split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The middle value of some; 0 of none.
fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    match values.len() {
        0 => 0.0,
        count if count % 2 == 0 => f64::midpoint(values[middle - 1], values[middle]),
        _ => values[middle],
    }
}

/// The great-circle distance of two places in degrees, in metres (haversine formula).
fn distance(from: (f64, f64), to: (f64, f64)) -> f64 {
    let across = ((to.0 - from.0).to_radians() / 2.0).sin().powi(2);
    let along = ((to.1 - from.1).to_radians() / 2.0).sin().powi(2);
    let chord = across + from.0.to_radians().cos() * to.0.to_radians().cos() * along;
    2.0 * EARTH_METRES * chord.sqrt().min(1.0).asin()
}

/// A span of time in minutes and seconds.
fn span(seconds: i64, language: Language) -> String {
    let (minutes, rest) = (seconds / 60, seconds % 60);
    match (language, minutes) {
        (Language::Vietnamese, 0) => format!("{rest} giây"),
        (Language::Vietnamese, _) => format!("{minutes} phút {rest} giây"),
        (Language::English, 0) => format!("{rest} s"),
        (Language::English, _) => format!("{minutes} min {rest} s"),
    }
}

#[cfg(test)]
mod tests {
    use super::super::evidence::{Evidence, Person};
    use super::*;

    /// A complete interview of so many answers in so many seconds, at a place.
    fn interview(seconds: i64, answered: usize, place: Option<(f64, f64)>) -> Summary {
        Summary {
            begun: true,
            complete: true,
            outcome: Some(outcome::COMPLETED.to_owned()),
            evidence: Some(Evidence {
                people: Vec::new(),
                visits: vec![VisitEvidence {
                    device: "aa".to_owned(),
                    started_at: 0,
                    ended_at: seconds * 1_000,
                    outcome: outcome::COMPLETED.to_owned(),
                    place,
                }],
                answered,
            }),
            ..Summary::default()
        }
    }

    fn subjects(summaries: &[(&'static str, Summary)]) -> BTreeMap<String, Vec<Flag>> {
        let subjects: Vec<Subject<'_>> = summaries
            .iter()
            .map(|(unit, summary)| Subject {
                unit,
                hamlet: "1",
                address: unit,
                summary,
                refused: None,
            })
            .collect();
        let found = flags(&subjects);
        found
            .into_iter()
            .map(|(unit, flags)| (unit.to_owned(), flags))
            .collect()
    }

    #[test]
    fn an_interview_is_quick_by_how_many_answers_it_has() {
        let found = subjects(&[("A1", interview(79, 20, None)), ("A2", interview(80, 20, None))]);
        assert_eq!(
            found["A1"],
            [Flag::Quick {
                seconds: 79,
                answers: 20
            }]
        );
        assert!(!found.contains_key("A2"));
        let text = found["A1"][0].text(Language::Vietnamese);
        assert_eq!(
            text,
            "Phỏng vấn chỉ 1 phút 19 giây cho 20 câu; thường phải trên 1 phút 20 giây."
        );
    }

    #[test]
    fn one_wrong_place_does_not_move_the_middle() {
        let near = |step: f64| interview(600, 20, Some((10.36 + step / 10_000.0, 106.36)));
        let mut summaries = vec![
            ("A1", near(0.0)),
            ("A2", near(1.0)),
            ("A3", near(2.0)),
            ("A4", near(3.0)),
        ];
        let wrong = interview(600, 20, Some((10.46, 106.36)));
        summaries.push(("A5", wrong.clone()));
        let found = subjects(&summaries);
        let [Flag::FarAway { metres }] = found["A5"][..] else {
            panic!("{found:?}");
        };
        assert!((11_000.0..11_200.0).contains(&metres), "{metres}");
        assert_eq!(found.len(), 1);
        // Of four places none can be far from the others.
        let few = [
            summaries[0].clone(),
            summaries[1].clone(),
            summaries[2].clone(),
            ("A5", wrong),
        ];
        assert!(subjects(&few).is_empty());
    }

    #[test]
    fn a_wide_hamlet_has_wide_neighbours() {
        let at = |kilometres: f64| interview(600, 20, Some((10.0 + kilometres / 111.2, 106.0)));
        let summaries = [
            ("A1", at(0.0)),
            ("A2", at(2.0)),
            ("A3", at(4.0)),
            ("A4", at(6.0)),
            ("A5", at(8.0)),
        ];
        assert!(subjects(&summaries).is_empty());
    }

    #[test]
    fn one_person_in_two_households_is_told_in_both() {
        let with = |name: &str| {
            let mut summary = interview(600, 20, None);
            if let Some(evidence) = &mut summary.evidence {
                evidence.people.push(Person {
                    name: name.to_owned(),
                    birth_year: 1980,
                });
            }
            summary
        };
        let found = subjects(&[
            ("A1", with("Nguyễn Thị Hoa")),
            ("A2", with("nguyễn  thị HOA")),
            ("A3", with("Nguyễn Thị Hòa")),
        ]);
        assert_eq!(found.keys().collect::<Vec<_>>(), ["A1", "A2"]);
        let Flag::SamePerson { address, .. } = &found["A1"][0] else {
            panic!("{found:?}");
        };
        assert_eq!(address, "A2");
    }

    #[test]
    fn failed_visits_are_unusual_from_half_of_them_on() {
        assert_eq!(failed_visits(4, 4, Language::Vietnamese), None);
        assert_eq!(failed_visits(10, 4, Language::Vietnamese), None);
        assert!(failed_visits(10, 5, Language::English).is_some());
    }
}
