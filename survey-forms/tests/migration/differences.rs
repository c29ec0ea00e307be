//! What a difference says of each change.

use survey_forms::migration::{ChangeKind, DifferenceError, FormDifference, Safety, diff};
use survey_forms::model::{Form, FormDefinition, FormNode, Language, NodeKind};

use super::{choice, colours, definition, form, one_colour, renamed, row, within};

/// The changes from one form to another, whose version's label differs.
fn changes(old: FormDefinition, mut new: FormDefinition) -> Vec<(String, Safety, ChangeKind)> {
    new.settings.version = "2".to_owned();
    let (old, new) = (Form::compile(old).unwrap(), Form::compile(new).unwrap());
    let difference = diff(&old, &new).unwrap();
    for change in &difference.changes {
        assert!(!change.vietnamese().is_empty() && !change.to_string().is_empty());
        assert_ne!(change.reason_vietnamese(), change.reason_english());
    }
    let changes = difference.changes.into_iter();
    changes
        .map(|change| (change.name, change.safety, change.kind))
        .collect()
}

/// The only change between forms of these rows.
fn only(old: Vec<FormNode>, new: Vec<FormNode>) -> (String, Safety, ChangeKind) {
    let mut found = changes(definition(old), definition(new));
    assert_eq!(found.len(), 1, "{found:?}");
    found.remove(0)
}

/// The safety of the only change, which an edit of one row makes.
fn edited(before: fn(&mut FormNode), after: fn(&mut FormNode)) -> Safety {
    let made = |edit: fn(&mut FormNode)| {
        let mut edited = row("q", NodeKind::Integer);
        edit(&mut edited);
        vec![row("size", NodeKind::Integer), edited]
    };
    only(made(before), made(after)).1
}

#[test]
fn a_form_does_not_differ_from_itself() {
    let same = form(vec![row("q", NodeKind::Text)]);
    let difference = diff(&same, &same).unwrap();
    assert!(difference.changes.is_empty() && difference.is_safe());
    assert_eq!(difference.old, difference.new);
    assert_eq!(difference.old.content_hash.len(), 64);
}

#[test]
fn another_form_is_refused() {
    let mut other = definition(vec![row("q", NodeKind::Text)]);
    other.settings.form_id = "school".to_owned();
    let error = diff(&form(vec![row("q", NodeKind::Text)]), &Form::compile(other).unwrap()).unwrap_err();
    let DifferenceError::OtherForm { old, new } = &error;
    assert_eq!((old.as_str(), new.as_str()), ("household", "school"));
    for text in [error.to_string(), error.vietnamese()] {
        assert!(text.contains("form_id") && text.contains("\"school\""), "{text}");
    }
}

#[test]
fn the_same_label_for_another_content_is_a_warning() {
    let old = form(vec![row("q", NodeKind::Text)]);
    let new = form(vec![row("q", NodeKind::Text), row("r", NodeKind::Text)]);
    let difference = diff(&old, &new).unwrap();
    assert_eq!(difference.changes[0].safety, Safety::Warning);
    assert!(matches!(
        difference.changes[0].kind,
        ChangeKind::VersionUnchanged { .. }
    ));
    assert!(difference.is_safe());
}

#[test]
fn expressions_count_by_meaning_and_direction() {
    let nothing = |_: &mut FormNode| {};
    let required = |row: &mut FormNode| row.required = Some("true()".to_owned());
    let positive = |row: &mut FormNode| row.constraint = Some(". > 0".to_owned());
    let relevant = |row: &mut FormNode| row.relevant = Some("${size} > 1".to_owned());
    let default = |row: &mut FormNode| row.default = Some("1".to_owned());
    let calculation = |row: &mut FormNode| row.calculation = Some("${size}".to_owned());
    assert_eq!(edited(nothing, required), Safety::Unsafe);
    assert_eq!(edited(required, nothing), Safety::Safe);
    assert_eq!(edited(nothing, positive), Safety::Unsafe);
    assert_eq!(edited(positive, nothing), Safety::Safe);
    assert_eq!(edited(nothing, relevant), Safety::Unsafe);
    assert_eq!(edited(relevant, nothing), Safety::Unsafe);
    assert_eq!(edited(nothing, default), Safety::Safe);
    assert_eq!(edited(nothing, calculation), Safety::Unsafe);
    // Spelling, and the new name of a renamed question, are no change.
    let rows = |size: FormNode, relevant: &str| {
        let mut asked = row("q", NodeKind::Text);
        asked.relevant = Some(relevant.to_owned());
        vec![size, asked]
    };
    let (name, safety, kind) = only(
        rows(row("size", NodeKind::Integer), "${size}>1 and  ${size} < 9"),
        rows(
            {
                let mut people = renamed("size", row("people", NodeKind::Integer));
                people.label = row("size", NodeKind::Integer).label;
                people
            },
            "${people} > 1 and ${people} < 9",
        ),
    );
    assert_eq!((name.as_str(), safety), ("people", Safety::Safe));
    assert_eq!(
        kind,
        ChangeKind::Renamed {
            from: "size".to_owned()
        }
    );
}

#[test]
fn columns_of_the_platform_are_known() {
    let with = |column: &'static str, cell: &str| {
        let mut marked = row("q", NodeKind::Integer);
        marked.other.insert(column.to_owned(), cell.to_owned());
        vec![marked]
    };
    let plain = || vec![row("q", NodeKind::Integer)];
    assert_eq!(only(with("indicator", "A"), with("indicator", "B")).1, Safety::Unsafe);
    assert_eq!(only(with("sensitive", "yes"), plain()).1, Safety::Unsafe);
    assert_eq!(only(plain(), with("sensitive", "yes")).1, Safety::Safe);
    assert_eq!(only(plain(), with("weather", "rain")).1, Safety::Warning);
}

#[test]
fn types_are_lossless_or_not() {
    for (from, to, safety) in [
        (NodeKind::Integer, NodeKind::Decimal, Safety::Safe),
        (NodeKind::Decimal, NodeKind::Integer, Safety::Unsafe),
        (one_colour(), colours(), Safety::Safe),
        (colours(), one_colour(), Safety::Unsafe),
        (NodeKind::Date, NodeKind::Text, Safety::Safe),
        (NodeKind::Text, NodeKind::Date, Safety::Unsafe),
    ] {
        let (_, found, kind) = only(vec![row("q", from)], vec![row("q", to)]);
        assert_eq!(found, safety, "{kind:?}");
        let ChangeKind::TypeChanged { lossless, .. } = kind else {
            panic!("{kind:?}")
        };
        assert_eq!(lossless, safety == Safety::Safe);
    }
}

#[test]
fn added_rows_are_safe_unless_finished_responses_lack_them() {
    let required = |mut row: FormNode| {
        row.required = Some("true()".to_owned());
        row
    };
    let kept = || row("q", NodeKind::Text);
    let added = |more: FormNode| only(vec![kept()], vec![kept(), more]).1;
    assert_eq!(added(row("more", NodeKind::Text)), Safety::Safe);
    assert_eq!(added(required(row("more", NodeKind::Text))), Safety::Unsafe);
    let in_a_new_repeat = vec![
        kept(),
        row("visits", NodeKind::Repeat),
        within(1, required(row("more", NodeKind::Text))),
    ];
    let found = changes(definition(vec![kept()]), definition(in_a_new_repeat));
    assert!(found.iter().all(|(_, safety, _)| *safety == Safety::Safe), "{found:?}");
    let found = changes(
        definition(vec![kept()]),
        definition(vec![kept(), renamed("nobody", row("more", NodeKind::Text))]),
    );
    let kinds: Vec<Safety> = found.iter().map(|(_, safety, _)| *safety).collect();
    assert_eq!(kinds, [Safety::Safe, Safety::Warning]);
}

#[test]
fn moves_between_groups_are_safe_under_the_same_conditions() {
    let conditional = |condition: Option<&str>| {
        let mut group = row("b", NodeKind::Group);
        group.relevant = condition.map(str::to_owned);
        group
    };
    let rows = |parent: usize, condition: Option<&str>| {
        vec![
            row("a", NodeKind::Group),
            conditional(condition),
            within(parent, row("q", NodeKind::Text)),
        ]
    };
    let (_, safety, kind) = only(rows(0, None), rows(1, None));
    assert_eq!(safety, Safety::Safe);
    assert_eq!(
        kind,
        ChangeKind::MovedToGroup {
            from: Some("a".to_owned()),
            to: Some("b".to_owned()),
            same_relevance: true
        }
    );
    assert_eq!(only(rows(0, Some("1 = 2")), rows(1, Some("1 = 2"))).1, Safety::Unsafe);
    let swapped = |names: [&str; 2]| names.map(|name| row(name, NodeKind::Text)).to_vec();
    let (name, safety, kind) = only(swapped(["x", "y"]), swapped(["y", "x"]));
    assert_eq!(
        (name.as_str(), safety, kind),
        ("", Safety::Safe, ChangeKind::OrderChanged)
    );
}

#[test]
fn choices_languages_and_settings_are_compared() {
    let old = || definition(vec![row("q", one_colour())]);
    let mut new = old();
    let list = new.choices.get_mut("colours").unwrap();
    list.remove(2);
    list.push(choice("black"));
    list[0] = choice("crimson");
    list[0].other.insert("renamed_from".to_owned(), "red".to_owned());
    list[1].other.insert("shade".to_owned(), "dark".to_owned());
    new.languages.push(Language {
        code: "en".to_owned(),
        name: "English (en)".to_owned(),
    });
    new.settings.title = "Household".to_owned();
    new.settings.root_name = "household".to_owned();
    let found = changes(old(), new);
    let found: Vec<(&str, Safety)> = found.iter().map(|(name, safety, _)| (name.as_str(), *safety)).collect();
    assert_eq!(
        found,
        [
            ("root_name", Safety::Unsafe),
            ("title", Safety::Safe),
            ("en", Safety::Safe),
            ("colours/crimson", Safety::Safe),
            ("colours/crimson", Safety::Safe),
            ("colours/green", Safety::Unsafe),
            ("colours/black", Safety::Safe),
            ("colours/blue", Safety::Unsafe),
        ]
    );
}

#[test]
fn a_difference_is_data() {
    let old = form(vec![row("q", NodeKind::Integer)]);
    let new = form(vec![row("q", NodeKind::Date)]);
    let difference = diff(&old, &new).unwrap();
    let text = serde_json::to_string(&difference).unwrap();
    assert!(text.contains("\"change\":\"type_changed\""), "{text}");
    assert_eq!(serde_json::from_str::<FormDifference>(&text).unwrap(), difference);
}
