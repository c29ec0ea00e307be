//! Simulated households: who lives there and what they would answer if asked.
//!
//! The shares are invented to lie near the plan's targets; they say nothing about real people.

use std::collections::BTreeMap;

use rand::RngExt as _;
use rand_chacha::ChaCha12Rng;
use survey_forms::answers::Value;

/// The year for which the questionnaire asks.
const REFERENCE_YEAR: i64 = 2025;

/// What is true of one household, by question.
#[derive(Debug, Clone)]
pub struct Household {
    /// Answers outside the roster.
    pub answers: BTreeMap<&'static str, Value>,
    /// The members, each with a random identity and answers.
    pub members: Vec<Person>,
}

/// One member of a simulated household.
#[derive(Debug, Clone)]
pub struct Person {
    /// The random identity that the interviewer's phone gives the member.
    pub id: String,
    /// Answers by question.
    pub answers: BTreeMap<&'static str, Value>,
}

/// How digital a hamlet is, on the logit scale; neighbours resemble one another.
#[derive(Debug, Clone, Copy)]
pub struct Hamlet {
    effect: f64,
}

impl Hamlet {
    /// Draws a hamlet; wards and townships are somewhat ahead.
    pub fn new(urban: bool, random: &mut ChaCha12Rng) -> Self {
        // The sum of four uniform numbers is near enough to a normal one.
        let spread: f64 = (0..4).map(|_| random.random_range(-0.5..0.5)).sum();
        Self {
            effect: 0.7 * spread + if urban { 0.35 } else { -0.05 },
        }
    }

    fn chance(self, base: f64, random: &mut ChaCha12Rng) -> bool {
        let logit = (base / (1.0 - base)).ln() + self.effect;
        random.random_bool(1.0 / (1.0 + (-logit).exp()))
    }
}

impl Household {
    /// Draws a household of the hamlet.
    pub fn new(hamlet: Hamlet, random: &mut ChaCha12Rng) -> Self {
        let mut answers: BTreeMap<&'static str, Value> = BTreeMap::new();
        let text = |word: &str| Value::from(word);
        answers.insert(
            "fibre_available",
            text(if hamlet.chance(0.86, random) { "yes" } else { "no" }),
        );
        answers.insert(
            "fibre_subscribed",
            text(if hamlet.chance(0.72, random) { "yes" } else { "no" }),
        );
        let provider = pick(random, &[("vnpt", 5), ("viettel", 4), ("fpt", 2), ("other", 1)]);
        answers.insert("fibre_provider", text(provider));
        answers.insert(
            "connection_other",
            text(pick(random, &[("mobile_data", 8), ("none", 2)])),
        );
        answers.insert("address_note", text("Địa chỉ mô phỏng"));
        answers.insert(
            "needs",
            ticked(hamlet, random, &[("safety", 0.5), ("vneid", 0.3), ("payment", 0.25)]),
        );
        let size = pick(random, &[(1, 8), (2, 18), (3, 24), (4, 27), (5, 14), (6, 9)]);
        let mut members = Vec::with_capacity(size);
        for place in 0..size {
            members.push(Person::new(place, hamlet, random));
        }
        if let Some(head) = members.first() {
            answers.insert("respondent_name", head.answers["member_name"].clone());
            answers.insert("respondent_relation", text("head"));
        }
        Self { answers, members }
    }
}

impl Person {
    fn new(place: usize, hamlet: Hamlet, random: &mut ChaCha12Rng) -> Self {
        let id = format!("{:016x}", random.random::<u64>());
        let (relation, age) = match place {
            0 => ("head", random.random_range(28..80)),
            1 => ("spouse", random.random_range(24..78)),
            _ => pick_age(random),
        };
        let sex = if random.random_bool(0.5) { "male" } else { "female" };
        // Digital habits fall with age.
        let habit = |base: f64| (base - 0.006 * f64::from((age - 40).max(0))).clamp(0.02, 0.98);
        let mut answers: BTreeMap<&'static str, Value> = BTreeMap::new();
        let mut say = |question, word: &str| drop(answers.insert(question, Value::from(word)));
        say("member_name", &format!("Người mô phỏng {}", place + 1));
        say("relation", relation);
        say("sex", sex);
        say("lives_here", if random.random_bool(0.96) { "yes" } else { "no" });
        let record = if hamlet.chance(0.9, random) { "told" } else { "no" };
        say("health_record", unsure(random, 0.01, record));
        let phone = if hamlet.chance(habit(0.93), random) {
            "own"
        } else {
            pick(random, &[("shared", 1), ("none", 2)])
        };
        say("smartphone", unsure(random, 0.005, phone));
        say(
            "online",
            if phone == "none" {
                "no"
            } else if hamlet.chance(habit(0.95), random) {
                "yes"
            } else {
                "no"
            },
        );
        let service = if hamlet.chance(habit(0.56), random) {
            pick(random, &[("self", 2), ("with_help", 3)])
        } else {
            "no"
        };
        say("public_service", unsure(random, 0.01, service));
        let telehealth = if hamlet.chance(habit(0.31), random) {
            "yes"
        } else {
            "no"
        };
        say("telehealth", unsure(random, 0.01, telehealth));
        answers.insert("birth_year", Value::Integer(REFERENCE_YEAR - i64::from(age)));
        answers.insert(
            "account",
            ticked(
                hamlet,
                random,
                &[("bank", habit(0.84)), ("e_wallet", habit(0.3)), ("mobile_money", 0.04)],
            ),
        );
        answers.insert(
            "protection",
            ticked(
                hamlet,
                random,
                &[
                    ("screen_lock", 0.8),
                    ("security_software", 0.4),
                    ("updates", 0.55),
                    ("recognise_fraud", 0.5),
                    ("two_step", 0.3),
                ],
            ),
        );
        answers.insert(
            "skills_training",
            ticked(
                hamlet,
                random,
                &[
                    ("team", habit(0.5)),
                    ("school", 0.2),
                    ("work", habit(0.2)),
                    ("online_course", 0.1),
                ],
            ),
        );
        answers.insert(
            "skills_year",
            Value::Integer(random.random_range(2021..=REFERENCE_YEAR)),
        );
        answers.insert(
            "signature",
            ticked(hamlet, random, &[("vneid", habit(0.42)), ("digital", 0.08)]),
        );
        Self { id, answers }
    }
}

fn pick_age(random: &mut ChaCha12Rng) -> (&'static str, i32) {
    match random.random_range(0..10) {
        0..=6 => ("child", random.random_range(0..28)),
        7 => ("parent", random.random_range(60..95)),
        8 => ("grandchild", random.random_range(0..15)),
        _ => ("other_relative", random.random_range(5..70)),
    }
}

/// Now and then somebody does not know or does not want to say.
fn unsure<'a>(random: &mut ChaCha12Rng, chance: f64, answer: &'a str) -> &'a str {
    if !random.random_bool(chance) {
        answer
    } else if random.random_bool(0.6) {
        "dont_know"
    } else {
        "refused"
    }
}

fn pick<T: Copy>(random: &mut ChaCha12Rng, weighted: &[(T, u32)]) -> T {
    let total: u32 = weighted.iter().map(|(_, weight)| weight).sum();
    let mut left = random.random_range(0..total);
    for (value, weight) in weighted {
        if left < *weight {
            return *value;
        }
        left -= weight;
    }
    weighted[0].0
}

/// The choices that hold, or «none».
fn ticked(hamlet: Hamlet, random: &mut ChaCha12Rng, choices: &[(&str, f64)]) -> Value {
    let mut names: std::collections::BTreeSet<String> = choices
        .iter()
        .filter(|(_, base)| hamlet.chance(base.clamp(0.01, 0.99), random))
        .map(|(name, _)| (*name).to_owned())
        .collect();
    if names.is_empty() {
        names.insert("none".to_owned());
    }
    Value::Choices(names)
}
