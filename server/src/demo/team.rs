//! One hamlet's team and its two days in the field.

use std::collections::BTreeMap;
use std::sync::Arc;

use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha12Rng;
use sha2::{Digest as _, Sha256};
use survey_forms::answers::{AnswerPath, Answers as _, InstanceId, Value};
use survey_forms::model::Form;
use sync_core::device::DeviceKey;
use tokio::sync::OnceCell;

use super::Field;
use super::household::{Hamlet, Household};
use super::interview::{InterviewError, interview, short_interview};
use super::volunteer::{Start, Volunteer};
use crate::cli::Failure;

/// When the field work begins, in seconds since 1970-01-01T00:00:00Z: 10 November 2025, eight o'clock in Vietnam.
const MORNING: i64 = 1_762_736_400;

/// One hamlet's work.
pub(super) struct HamletWork {
    pub(super) code: String,
    pub(super) urban: bool,
    /// One-time codes for the team's two phones.
    pub(super) codes: [String; 2],
}

/// What happens with a household.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Story {
    /// One volunteer interviews.
    Plain,
    /// The household does not want to take part.
    Refuses,
    /// Nobody is at home.
    Absent,
    /// Both visit without knowing of each other, and one finds nobody at home.
    VisitedTwiceOnceAbsent,
    /// Both visit without knowing of each other, and the dwelling's answers differ.
    VisitedTwice,
    /// After they have exchanged, both correct the same answer offline, differently.
    CorrectedTwice,
    /// As before, and one of them settles it afterwards.
    CorrectedTwiceAndSettled,
    /// One corrects an answer.
    Corrected,
}

impl Story {
    fn draw(random: &mut ChaCha12Rng) -> Self {
        match random.random_range(0..100) {
            0..3 => Self::Refuses,
            3..6 => Self::Absent,
            6..8 => Self::VisitedTwiceOnceAbsent,
            8..12 => Self::VisitedTwice,
            12..19 => Self::CorrectedTwice,
            19..22 => Self::CorrectedTwiceAndSettled,
            22..26 => Self::Corrected,
            _ => Self::Plain,
        }
    }
}

/// A random source of its own for each thing of a seed, so that no order of events changes any other thing.
pub(super) fn chances(seed: u64, of: &str) -> ChaCha12Rng {
    ChaCha12Rng::from_seed(Sha256::digest(format!("{seed}/{of}").as_bytes()).into())
}

/// A form that every phone of the demo downloads and the first one parses.
#[derive(Default)]
pub(super) struct SharedForm(OnceCell<(String, Arc<Form>)>);

impl SharedForm {
    async fn of(&self, phone: &mut Volunteer) -> Result<Arc<Form>, Failure> {
        let (tag, workbook) = phone.form().await?;
        let (known, form) = self
            .0
            .get_or_try_init(|| async {
                let form = survey_forms::xlsform::read(&workbook)
                    .map_err(|errors| Failure::new(errors.vietnamese(), errors.to_string()))?;
                Ok::<_, Failure>((tag.clone(), Arc::new(form)))
            })
            .await?;
        if *known != tag {
            return Err(Failure::new(
                "phiếu khảo sát đã đổi giữa chừng",
                "the form changed under way",
            ));
        }
        Ok(Arc::clone(form))
    }
}

/// Plays a hamlet's two days.
pub(super) async fn play(field: &Field, work: HamletWork) -> Result<(), Failure> {
    let mut enrolled = Vec::new();
    for (place, code) in work.codes.iter().enumerate() {
        let mut secret = chances(field.seed, &format!("{}/key/{place}", work.code));
        let start = Start {
            key: DeviceKey::from_secret(&secret.random()),
            server: field.server,
            time: MORNING,
            luck: chances(field.seed, &format!("{}/luck/{place}", work.code)),
            pace: field.pace,
            progress: field.progress.clone(),
        };
        enrolled.push(Volunteer::enrol(start, code).await?);
        field.progress.enrolled();
    }
    let Ok([mut one, mut other]) = <[Volunteer; 2]>::try_from(enrolled) else {
        return Ok(());
    };
    let form = field.form.of(&mut one).await?;
    field.form.of(&mut other).await?;
    let units = one.units().await?;
    let hamlet = Hamlet::new(work.urban, &mut chances(field.seed, &work.code));
    let mut households: Vec<Visited> = Vec::with_capacity(units.len());
    for unit in units {
        let mut random = chances(field.seed, &unit.code);
        let story = Story::draw(&mut random);
        households.push(Visited {
            household: Household::new(hamlet, &mut random),
            story,
            unit: unit.code,
        });
    }

    // Morning, without signal: each visits half of the households, some are visited by both.
    for (place, visited) in households.iter().enumerate() {
        let (first, second) = if place % 2 == 0 {
            (&mut one, &mut other)
        } else {
            (&mut other, &mut one)
        };
        visited.morning(&form, first, second)?;
        field.progress.interviewed();
    }
    // Noon: a signal. Each delivers; then each learns what the other wrote.
    one.sync(&other).await?;
    other.sync(&one).await?;
    one.sync(&other).await?;
    // Afternoon, without signal again: corrections, some of them by both.
    for visited in &households {
        visited.afternoon(&mut one, &mut other)?;
    }
    one.sync(&other).await?;
    other.sync(&one).await?;
    // Next day: some differences are settled by the person who asked again.
    one.sync(&other).await?;
    for visited in &households {
        visited.settle(&mut one)?;
    }
    one.sync(&other).await
}

/// One household with its story.
struct Visited {
    unit: String,
    household: Household,
    story: Story,
}

impl Visited {
    fn morning(&self, form: &Form, first: &mut Volunteer, second: &mut Volunteer) -> Result<(), Failure> {
        match self.story {
            Story::Refuses => {
                let answers = BTreeMap::from([("consent", "no"), ("visit_outcome", "refused")]);
                self.short_visit(form, first, "refused", &answers)
            }
            Story::Absent => {
                let answers = BTreeMap::from([("visit_outcome", "nobody_home")]);
                self.short_visit(form, first, "nobody_home", &answers)
            }
            Story::VisitedTwiceOnceAbsent => {
                let answers = BTreeMap::from([("visit_outcome", "nobody_home")]);
                self.short_visit(form, second, "nobody_home", &answers)?;
                self.interview(form, first)
            }
            Story::VisitedTwice => {
                let opposite = match self.household.answers.get("fibre_available") {
                    Some(Value::Text(word)) if word == "yes" => "no",
                    _ => "yes",
                };
                let mut answers = BTreeMap::from([
                    ("consent", "yes"),
                    ("visit_outcome", "partly"),
                    ("fibre_available", opposite),
                ]);
                answers.insert("respondent_relation", "head");
                self.short_visit(form, second, "partly", &answers)?;
                self.interview(form, first)
            }
            _ => self.interview(form, first),
        }
    }

    fn interview(&self, form: &Form, volunteer: &mut Volunteer) -> Result<(), Failure> {
        let now = volunteer.phone_time();
        volunteer.visit(&self.unit, 8, "completed", |edit| {
            interview(form, edit, &self.household, now).map_err(refused)
        })
    }

    fn short_visit(
        &self,
        form: &Form,
        volunteer: &mut Volunteer,
        outcome: &str,
        answers: &BTreeMap<&str, &str>,
    ) -> Result<(), Failure> {
        let now = volunteer.phone_time();
        volunteer.visit(&self.unit, 2, outcome, |edit| {
            short_interview(form, edit, answers, now).map_err(refused)
        })
    }

    fn afternoon(&self, one: &mut Volunteer, other: &mut Volunteer) -> Result<(), Failure> {
        let Some((path, corrections)) = self.correction() else {
            return Ok(());
        };
        match self.story {
            Story::CorrectedTwice | Story::CorrectedTwiceAndSettled => {
                correct(one, &self.unit, &path, corrections[0])?;
                correct(other, &self.unit, &path, corrections[1])
            }
            Story::Corrected => correct(one, &self.unit, &path, corrections[0]),
            _ => Ok(()),
        }
    }

    fn settle(&self, volunteer: &mut Volunteer) -> Result<(), Failure> {
        if self.story != Story::CorrectedTwiceAndSettled {
            return Ok(());
        }
        let Some(response) = volunteer.response(&self.unit) else {
            return Ok(());
        };
        let conflicts = response.read().conflicts;
        for conflict in conflicts {
            let Some(chosen) = conflict.values().into_iter().next_back() else {
                continue;
            };
            volunteer.correct(&self.unit, |edit| Ok(edit.settle(&conflict.path, chosen.as_ref())?))?;
        }
        Ok(())
    }

    /// A question of an adult member, and two other answers to it than the first one.
    fn correction(&self) -> Option<(AnswerPath, [&'static str; 2])> {
        let adult = self.household.members.iter().find(|member| {
            member.answers.get("lives_here") == Some(&"yes".into())
                && matches!(member.answers.get("birth_year"), Some(Value::Integer(year)) if *year <= 2007)
        })?;
        let instance = InstanceId::new(adult.id.clone());
        // Which question depends on the household alone, so that a seed gives the same corrections every time.
        let question =
            ["smartphone", "public_service", "health_record"][self.unit.bytes().map(usize::from).sum::<usize>() % 3];
        let corrections = match (question, adult.answers.get(question)?.to_string().as_str()) {
            ("smartphone", "own") => ["shared", "dont_know"],
            ("smartphone", _) => ["own", "refused"],
            ("public_service", "no") => ["self", "dont_know"],
            ("public_service", "self") => ["with_help", "no"],
            ("public_service", _) => ["self", "no"],
            (_, "told") => ["seen", "no"],
            _ => ["seen", "told"],
        };
        Some((AnswerPath::within(&instance, question), corrections))
    }
}

fn correct(volunteer: &mut Volunteer, unit: &str, path: &AnswerPath, word: &str) -> Result<(), Failure> {
    use survey_forms::answers::AnswersMut as _;
    volunteer.correct(unit, |edit| {
        if edit.answer(path).is_some() {
            Ok(edit.put_answer(path, &word.into())?)
        } else {
            Ok(())
        }
    })
}

fn refused(error: InterviewError) -> Failure {
    Failure::new(error.vietnamese(), error.to_string())
}
