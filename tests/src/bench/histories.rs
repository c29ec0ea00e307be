//! What a fresh phone gets of households that were corrected often: whole histories as they travel, against the same
//! documents in Automerge's compact form.

use std::io::Read as _;

use automerge::{Automerge, SaveOptions};
use rand::seq::IndexedRandom as _;
use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use survey_forms::answers::{AnswerPath, Answers as _, AnswersMut as _, Value};
use survey_forms::model::{Form, NodeKind};
use sync_core::exchange::wire;
use sync_core::response::Response;

use super::survey::{ROSTER, Survey};
use super::table::{Better, Comparison};
use super::wire::brotli;
use crate::phone::Phone;

/// Households of the phone.
const HOUSEHOLDS: usize = 300;
/// Changes in each household's history when a fresh phone comes.
const CHANGES: [usize; 3] = [1, 5, 20];
/// Volunteers who correct in turn.
const VOLUNTEERS: u16 = 4;
/// Brotli's qualities: that of the exchange, which is about as strong as Zstandard's level 3, and the strongest.
const QUALITIES: [u32; 2] = [5, 11];

/// Measures bytes a household. The documents would have to be told apart and signed for as changes are; that is not in
/// the baselines.
pub(super) fn measure() -> Vec<Comparison> {
    let survey = Survey::new(HOUSEHOLDS as u64);
    let server = survey.serve();
    let mut volunteers = survey.enrol_together(&server, VOLUNTEERS + 1);
    let mut fresh = volunteers.pop().unwrap();
    let mut random = ChaCha8Rng::seed_from_u64(HOUSEHOLDS as u64);
    let mut comparisons = Vec::new();
    survey.interview(&mut volunteers[..1], usize::MAX);
    volunteers[0].phone.sync();
    for changes in 1..=CHANGES[CHANGES.len() - 1] {
        if changes > 1 {
            let turn = (changes - 1) % volunteers.len();
            let volunteer = &mut volunteers[turn];
            volunteer.phone.sync();
            for unit in &volunteer.units {
                correct(&survey.form, &mut volunteer.phone, unit, &mut random);
            }
            volunteer.phone.sync();
        }
        if CHANGES.contains(&changes) {
            compare(&mut comparisons, changes, &mut fresh.phone);
        }
    }
    comparisons
}

/// Answers a random question of a household, which has an answer, by another of its choices.
fn correct(form: &Form, phone: &mut Phone, unit: &str, random: &mut ChaCha8Rng) {
    let answers = phone.open(unit).read().answers;
    let members = answers.instances(ROSTER, None);
    let questions = form.nodes().iter();
    let answered: Vec<(AnswerPath, Value)> = questions
        .filter(|node| matches!(node.kind, NodeKind::SelectOne { .. }))
        .flat_map(|node| {
            let within = members.iter().map(|member| AnswerPath::within(member, &node.name));
            let paths = within.chain([AnswerPath::top(&node.name)]);
            paths
                .filter_map(|path| {
                    let present = answers.answer(&path)?;
                    let others = form
                        .choices(node)
                        .iter()
                        .map(|choice| Value::from(choice.name.as_str()));
                    let others: Vec<Value> = others.filter(|other| *other != present).collect();
                    Some((path, others[random.random_range(0..others.len())].clone()))
                })
                .collect::<Vec<_>>()
        })
        .collect();
    let (path, other) = answered.choose(random).unwrap();
    phone.edit(unit, |edit| edit.put_answer(path, other)).unwrap();
}

/// Lets the phone begin with nothing, and compares what it gets with the documents that it has then.
fn compare(comparisons: &mut Vec<Comparison>, changes: usize, phone: &mut Phone) {
    phone.client = Default::default();
    phone.responses.clear();
    let request = wire::encode(&phone.client.request(&phone.key, 0, 1 << 20)).unwrap();
    let answer = phone.post(&request);
    assert_eq!(answer.status, 200, "{}", String::from_utf8_lossy(&answer.body));
    let pulled = phone.sync();
    assert_eq!(pulled.len(), 1, "one answer holds everything");
    assert_eq!(phone.responses.len(), HOUSEHOLDS);
    let histories = phone.responses.values();
    // Besides the genesis, which does not travel.
    assert!(histories.clone().all(|response| response.changes().len() == changes));
    let saved: Vec<u8> = histories.clone().flat_map(Response::save).collect();
    let columns: Vec<u8> = histories.flat_map(undeflated).collect();
    let mut history = Vec::new();
    brotli::Decompressor::new(answer.body.as_slice(), 4096)
        .read_to_end(&mut history)
        .unwrap();
    eprintln!(
        "wire: {changes} changes a household: answer {} bytes, inflated {}, documents {} bytes, columns not deflated {}",
        answer.body.len(),
        history.len(),
        saved.len(),
        columns.len(),
    );
    for quality in QUALITIES {
        for (against, documents) in [
            ("saved documents", &saved),
            ("saved documents, columns not deflated", &columns),
        ] {
            let each = |bytes: &[u8]| brotli(bytes, quality) as f64 / HOUSEHOLDS as f64;
            comparisons.push(Comparison {
                what: format!(
                    "{HOUSEHOLDS} households with {changes} changes each: packed histories, brotli {quality}"
                ),
                against: format!("{against}, one brotli {quality}"),
                unit: "bytes/household",
                better: Better::Lower,
                pairs: vec![(each(&history), each(documents))],
            });
        }
    }
}

/// The document as [`Response::save`] writes it, but for columns that are left for the compression of the whole.
fn undeflated(response: &Response) -> Vec<u8> {
    let document = Automerge::load(&response.save()).unwrap();
    document.save_with_options(SaveOptions {
        deflate: false,
        ..SaveOptions::default()
    })
}
