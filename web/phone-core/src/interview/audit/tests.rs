//! The log by itself: what is written of what happens, whatever happens.
#![allow(clippy::unwrap_used)] // a test fails by panicking

use std::collections::BTreeMap;

use proptest::prelude::*;
use survey_forms::model::{FormDefinition, FormNode};

use super::*;
use crate::record::Record;

/// A form with only a row `audit` of these parameters.
fn request(parameters: &[(&str, &str)]) -> Option<AuditRequest> {
    let definition = serde_json::json!({
        "settings": { "form_id": "f", "title": "F", "version": "1", "other": {} },
        "languages": [{ "name": "Tiếng Việt", "code": "vi" }],
        "nodes": [], "choices": {},
    });
    let mut definition: FormDefinition = serde_json::from_value(definition).unwrap();
    let mut row = FormNode::new("audit", NodeKind::Metadata(Metadata::Audit), None);
    row.parameters = parameters
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect();
    definition.nodes.push(row);
    AuditRequest::of(&Form::compile(definition).unwrap())
}

const LOCATED: [(&str, &str); 3] = [
    ("location-priority", "balanced"),
    ("location-min-interval", "10"),
    ("location-max-age", "60"),
];

fn begun(parameters: &[(&str, &str)]) -> Audit {
    Audit::new(request(parameters).unwrap(), EventKind::FormStart, true, Vec::new())
}

fn page(number: usize) -> Shown {
    Shown {
        place: format!("page/{number}/"),
        kind: EventKind::GroupQuestions,
        node: format!("/data/g{number}"),
        only: None,
    }
}

fn question(name: &str) -> (AnswerPath, String) {
    (AnswerPath::top(name), format!("/data/{name}"))
}

#[test]
fn the_file_is_that_of_collect() {
    let mut all = LOCATED.to_vec();
    all.extend([
        ("track-changes", "true"),
        ("identify-user", "true"),
        ("track-changes-reasons", "on-form-edit"),
    ]);
    let mut audit = begun(&all);
    let (name, name_node) = question("name");
    let (age, age_node) = question("age");
    audit.wake(1_000);
    audit.show(page(1), 1_000);
    audit.locate(Some((10.36, 106.365, 12.5)), 2_000);
    audit.answer(&name, name_node.clone(), String::new(), "H".to_owned(), 4_000);
    audit.answer(&name, name_node, "H".to_owned(), "Hoa, \"Sáu\"".to_owned(), 6_000);
    audit.answer(&age, age_node.clone(), "40".to_owned(), "41".to_owned(), 9_000);
    audit.show(page(1), 9_000);
    audit.instant(EventKind::ConstraintError, age_node, 9_500);
    audit.jump(10_000);
    audit.show(
        Shown {
            place: "end".to_owned(),
            kind: EventKind::EndScreen,
            node: String::new(),
            only: None,
        },
        10_000,
    );
    audit.finish(true, 12_000);
    let place = "10.36,106.365,12.5";
    let expected = [
        "event,node,start,end,latitude,longitude,accuracy,old-value,new-value,user,change-reason".to_owned(),
        "form start,,1000,,,,,,,Ba,".to_owned(),
        "location tracking enabled,,1000,,,,,,,Ba,".to_owned(),
        format!("group questions,/data/g1,1000,10000,{place},,,Ba,"),
        format!("location permissions granted,,2000,,{place},,,Ba,"),
        format!("question,/data/name,1000,6000,{place},,\"Hoa, \"\"Sáu\"\"\",Ba,"),
        format!("question,/data/age,6000,9000,{place},40,41,Ba,"),
        format!("constraint error,/data/age,9500,,{place},,,Ba,"),
        format!("jump,,10000,10000,{place},,,Ba,"),
        format!("end screen,,10000,12000,{place},,,Ba,"),
        format!("form save,,12000,,{place},,,Ba,"),
        format!("form exit,,12000,,{place},,,Ba,"),
        format!("form finalize,,12000,,{place},,,Ba,"),
    ];
    let file = audit.file("Ba");
    assert_eq!(file.lines().collect::<Vec<_>>(), expected);
    assert!(file.ends_with('\n'));
}

#[test]
fn what_the_form_does_not_ask_for_is_not_recorded() {
    let mut audit = begun(&[]);
    audit.wake(0);
    audit.locate(Some((10.0, 106.0, 5.0)), 0);
    audit.show(page(1), 0);
    let (name, node) = question("name");
    audit.answer(&name, node, String::new(), "Hoa".to_owned(), 1_000);
    audit.finish(false, 2_000);
    let file = audit.file("Ba");
    assert_eq!(
        file.lines().collect::<Vec<_>>(),
        [
            "event,node,start,end",
            "form start,,0,",
            "group questions,/data/g1,0,2000",
            "question,/data/name,0,1000",
            "form save,,2000,",
            "form exit,,2000,",
        ]
    );
    // Nor is it kept anywhere on the way.
    audit.keep(|_, event| {
        assert!(event.position.is_none() && event.old.is_empty() && event.new.is_empty());
        1
    });
}

#[test]
fn no_position_is_taken_without_agreement_nor_after_it_has_ended() {
    let mut audit = Audit::new(request(&LOCATED).unwrap(), EventKind::FormStart, false, Vec::new());
    audit.wake(0);
    audit.locate(Some((10.0, 106.0, 5.0)), 0);
    audit.show(page(1), 0);
    audit.consent(true, 1_000);
    audit.locate(Some((11.0, 107.0, 5.0)), 1_000);
    audit.show(page(2), 2_000);
    audit.consent(false, 3_000);
    audit.locate(Some((12.0, 108.0, 5.0)), 3_000);
    audit.show(page(3), 4_000);
    audit.finish(false, 5_000);
    let file = audit.file("");
    assert!(!file.contains("106") && !file.contains("108"), "{file}");
    let with = file.lines().filter(|line| line.contains("107"));
    // The first page got its position when it was left.
    assert_eq!(with.count(), 3, "{file}");
    assert!(file.contains("location tracking disabled"));
}

#[test]
fn a_position_counts_only_as_long_as_the_form_says_and_the_best_one_is_taken() {
    let mut audit = begun(&LOCATED);
    audit.wake(0);
    audit.locate(Some((10.0, 106.0, 5.0)), 0);
    audit.locate(Some((11.0, 107.0, 50.0)), 30_000);
    audit.show(page(1), 50_000);
    audit.show(page(2), 70_000);
    audit.show(page(3), 100_000);
    let positions: Vec<_> = audit.events[3..]
        .iter()
        .map(|(_, event)| event.position.map(|it| it.0))
        .collect();
    assert_eq!(positions, [Some(10.0), Some(11.0), None]);
}

#[test]
fn a_form_without_the_row_has_no_log_and_half_a_set_of_parameters_asks_for_no_positions() {
    let half = request(&[("location-priority", "balanced"), ("location-max-age", "rubbish")]).unwrap();
    assert_eq!(half.locations, None);
}

/// Something that happens.
#[derive(Debug, Clone)]
enum Happening {
    Show(usize),
    Answer(usize),
    Refuse,
    Jump,
    Locate(bool),
    Consent(bool),
    /// The app is killed, and opened again.
    Kill,
}

fn happening() -> impl Strategy<Value = Happening> {
    prop_oneof![
        4 => (0..3_usize).prop_map(Happening::Show),
        6 => (0..4_usize).prop_map(Happening::Answer),
        1 => Just(Happening::Refuse),
        1 => Just(Happening::Jump),
        1 => any::<bool>().prop_map(Happening::Locate),
        1 => any::<bool>().prop_map(Happening::Consent),
        2 => Just(Happening::Kill),
    ]
}

proptest! {
    /// Whatever happens and wherever the app is killed: nothing is lost or doubled, everything has an end, and nothing ends
    /// before it begins, also where the clock goes back.
    #[test]
    fn a_log_survives_everything(steps in proptest::collection::vec((happening(), -5_000_i64..60_000), 0..40)) {
        let mut all = LOCATED.to_vec();
        all.push(("track-changes", "true"));
        let asked = request(&all).unwrap();
        let mut kept: BTreeMap<RecordId, Vec<u8>> = BTreeMap::new();
        let mut audit = Audit::new(asked.clone(), EventKind::FormStart, true, Vec::new());
        let (mut now, mut next, mut answers, mut kills, mut jumps) = (1_000_000, 100, 0, 0, 0);
        let mut last_answered = None;
        for (step, passes) in steps {
            now += passes;
            if !matches!(step, Happening::Kill) {
                audit.wake(now);
            }
            match step {
                Happening::Show(number) => {
                    if audit.shown.as_ref().is_none_or(|(shown, _)| shown.place != page(number).place) {
                        last_answered = None;
                    }
                    audit.show(page(number), now);
                }
                Happening::Answer(number) => {
                    let (path, node) = question(&format!("q{number}"));
                    audit.answer(&path, node, "a".to_owned(), now.to_string(), now);
                    answers += usize::from(last_answered != Some(number));
                    last_answered = Some(number);
                }
                Happening::Refuse => audit.instant(EventKind::ConstraintError, String::new(), now),
                Happening::Jump => {
                    audit.jump(now);
                    jumps += 1;
                    last_answered = None;
                }
                Happening::Locate(found) => audit.locate(found.then_some((10.0, 106.0, 5.0)), now),
                Happening::Consent(agreed) => audit.consent(agreed, now),
                Happening::Kill => {
                    let read = kept.iter().map(|(id, bytes)| match Record::read(bytes) {
                        Some(Record::AuditEvent(event)) => (*id, event),
                        other => panic!("{other:?}"),
                    });
                    let opening = if kept.is_empty() { EventKind::FormStart } else { EventKind::FormResume };
                    kills += usize::from(!kept.is_empty() && audit.opening.is_none());
                    audit = Audit::new(asked.clone(), opening, true, read.collect());
                    last_answered = None;
                }
            }
            audit.keep(|record, event| {
                let record = record.unwrap_or_else(|| { next += 1; next });
                kept.insert(record, Record::AuditEvent(event.clone()).write());
                record
            });
        }
        audit.finish(true, now);
        let count = |kind: EventKind| audit.events.iter().filter(|(_, event)| event.kind == kind).count();
        prop_assert_eq!(count(EventKind::Question), answers);
        prop_assert_eq!(count(EventKind::Jump), jumps);
        prop_assert_eq!(count(EventKind::FormStart), 1);
        prop_assert!(count(EventKind::FormResume) <= kills);
        prop_assert_eq!(count(EventKind::FormExit), 1);
        for (_, event) in &audit.events {
            prop_assert_eq!(event.end.is_some(), event.kind.is_interval(), "{:?}", event);
            prop_assert!(event.end.is_none_or(|end| end >= event.start), "{:?}", event);
        }
        // One record an event, and each a few dozen bytes.
        prop_assert!(kept.len() <= audit.events.len());
        prop_assert!(kept.values().all(|bytes| bytes.len() < 250));
    }
}
