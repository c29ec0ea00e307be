//! Reads XForms that other programs wrote (ODK XForms specification, getodk.github.io/xforms-spec), for forms that exist
//! in no other shape.
//!
//! `tree` reads the XML; `outline` has the elements of the primary instance, to which `body` gives their controls and
//! `actions` what happens to them. `references` writes paths as `${question}` where the writer beside this module would
//! write just that path again; `texts`, `choices`, `itemset` and `selects` read what people see. `nodes` puts all of it
//! into rows, `kinds` says what each is, `metadata` and `settings` read what concerns the whole form.
//!
//! What a form here cannot hold is refused, or read as what comes nearest with a warning; nothing is dropped in silence.
//! Places of problems are those of the XML, see [`Place`].

mod actions;
mod body;
mod choices;
mod itemset;
mod kinds;
mod metadata;
mod nodes;
mod outline;
mod references;
mod report;
mod selects;
mod settings;
mod texts;
mod tree;

use std::collections::{HashMap, HashSet};

use crate::Phrase;
use crate::model::{
    Form, FormDefinition, FormNode, FormProblem, FormProblems, Place, ProblemKind, Settings, XFormProblem,
};
use crate::xlsform::Reading;
use choices::Secondaries;
use metadata::CONTEXT;
use nodes::Rows;
use outline::Outline;
use references::References;
use report::Report;
use selects::{Lists, Offer};
use settings::Parts;
use texts::{Computed, Itext};
use tree::{Document, Element};

/// What an XForm says, before its expressions are checked.
#[derive(Debug, Clone)]
pub struct XFormReading {
    /// The form.
    pub definition: FormDefinition,
    /// What was read as something that only means nearly the same.
    pub warnings: Vec<FormProblem>,
    /// Where each row stands in the XForm.
    places: Vec<Place>,
}

/// Reads and checks the form in the text of an XForm.
///
/// # Errors
/// With everything found wrong, each with its line and element: XML that is broken, too large or too deep, paths that
/// lead nowhere, what a form here cannot hold, and all that [`Form::compile`] finds.
pub fn read(xml: &str) -> Result<Form, FormProblems> {
    read_with_warnings(xml).map(|reading| reading.form)
}

/// Reads and checks the form in the text of an XForm; says too what was read as something that means nearly the same.
///
/// # Errors
/// As [`read`].
pub fn read_with_warnings(xml: &str) -> Result<Reading, FormProblems> {
    read_definition(xml)?.compile()
}

impl XFormReading {
    /// Checks the form.
    ///
    /// # Errors
    /// With all that [`Form::compile`] finds, at the places of the XForm.
    pub fn compile(self) -> Result<Reading, FormProblems> {
        // The rows of the definition are lines, of which several elements may share one.
        match Form::compile(self.definition.clone()) {
            Ok(form) => Ok(Reading {
                form,
                warnings: self.warnings,
            }),
            Err(_) => Err(in_xform(self.definition, &self.places)),
        }
    }
}

/// The problems of a definition at the places of its rows.
fn in_xform(mut definition: FormDefinition, places: &[Place]) -> FormProblems {
    for (node, number) in definition.nodes.iter_mut().zip(1..) {
        node.row = number;
    }
    let Err(FormProblems(mut problems)) = Form::compile(definition) else {
        return FormProblems(Vec::new());
    };
    let of_row = |row: u32| {
        usize::try_from(row)
            .ok()
            .and_then(|row| places.get(row.checked_sub(1)?))
    };
    let line = |row: &mut u32| *row = of_row(*row).and_then(|place| place.row).unwrap_or(0);
    for problem in &mut problems {
        let place = &mut problem.place;
        *place = match (place.sheet.as_str(), place.row.and_then(of_row)) {
            ("survey", Some(place)) => place.clone(),
            (sheet, _) => {
                let row = place.row.filter(|_| sheet != "survey");
                Place::new(Place::XFORM, row, place.column.as_deref())
            }
        };
        match &mut problem.kind {
            ProblemKind::DuplicateName { first, .. } | ProblemKind::DuplicateRepeat { first, .. } => line(first),
            ProblemKind::AmbiguousReference { rows, .. } => rows.iter_mut().for_each(line),
            _ => {}
        }
    }
    FormProblems(problems)
}

/// Reads what an XForm says. [`XFormReading::compile`] checks its expressions.
///
/// # Errors
/// With everything found wrong with the XML and its structure.
pub fn read_definition(xml: &str) -> Result<XFormReading, FormProblems> {
    let document = tree::read(xml)?;
    let parts = parts(&document)?;
    let mut report = Report::default();
    let mut outline = Outline::new(parts.root, &mut report);
    let binds = parts.model.elements().filter(|element| element.name == "bind");
    outline.bind(binds, &mut report);
    let in_body = body::read(parts.body, &mut outline, &mut report);
    outline.check_names(&mut report);
    let happenings = actions::sort(parts.model, in_body, &outline, &mut report);
    let mut secondaries = choices::secondaries(parts.model, &mut report);
    selects::offers(&outline, &mut secondaries);
    let itext = Itext::read(parts.model.child("itext"), &mut report);
    let mut settings = settings::read(&document, &parts, &mut report);
    metadata::settings(&outline, &mut settings, &mut report);
    if !report.problems.is_empty() {
        return Err(FormProblems(report.problems));
    }
    let counts = hide(&mut outline, &parts);
    let (order, positions) = in_order(&outline);
    let skeleton = skeleton(&outline, &order, &positions, &settings)?;
    let references = References::new(&skeleton);
    let mut reader = texts::Reader {
        references: &references,
        computed: Vec::new(),
    };
    let lists = choices::lists(&secondaries, &itext, &mut reader, &mut report);
    let mut rows = Rows {
        outline: &outline,
        itext: &itext,
        offer: Offer {
            outline: &outline,
            itext: &itext,
            secondaries: &secondaries,
        },
        happenings: &happenings,
        positions: &positions,
        reader,
        lists: Lists {
            choices: lists,
            osm_tags: Default::default(),
            in_controls: HashMap::new(),
        },
        counts: &counts,
        report: &mut report,
    };
    let mut nodes = Vec::with_capacity(order.len());
    let mut places = Vec::with_capacity(order.len());
    for slot in &order {
        let parent = outline.get(*slot).and_then(|slot| slot.parent);
        let parent = parent.and_then(|parent| positions.get(&parent).copied());
        nodes.extend(rows.row(*slot, parent));
        places.extend(outline.get(*slot).map(|slot| slot.spot().place()));
    }
    let audit = metadata::audit(&outline).and_then(|slot| {
        let place = outline.get(slot)?.spot().place();
        Some((rows.audit(slot, CONTEXT)?, place))
    });
    let Rows { lists, reader, .. } = rows;
    let computed = reader.computed;
    let position = |slot: usize| positions.get(&slot).copied();
    let entities = metadata::entities(&outline, &position, &references, &mut report);
    metadata::name_lists(&mut nodes, &entities);
    if let Some(name) = &settings.instance_name {
        settings.instance_name = Some(references.convert(name, CONTEXT, Default::default()));
    }
    settings.default_language.clone_from(&itext.default_language);
    settings.allow_choice_duplicates = has_duplicates(&lists.choices);
    let mut first: Vec<(FormNode, Place)> = audit.into_iter().collect();
    first.extend(declared(&secondaries, &nodes));
    append(&mut nodes, &mut places, computed, &mut report);
    prepend(&mut nodes, &mut places, first);
    if !report.problems.is_empty() {
        return Err(FormProblems(report.problems));
    }
    Ok(XFormReading {
        definition: FormDefinition {
            settings,
            languages: itext.languages(),
            nodes,
            choices: lists.choices,
            external_choices: Default::default(),
            osm_tags: lists.osm_tags,
            entities: entities.into_iter().map(|(_, declaration)| declaration).collect(),
        },
        warnings: report.warnings,
        places,
    })
}

fn parts(document: &Document) -> Result<Parts<'_>, FormProblems> {
    let missing = |element: &Element, name| tree::problem(&element.spot, XFormProblem::MissingElement(name));
    let html = &document.root;
    let head = html.child("head").ok_or_else(|| missing(html, "h:head"))?;
    let body = html.child("body").ok_or_else(|| missing(html, "h:body"))?;
    let model = head.child("model").ok_or_else(|| missing(head, "model"))?;
    let instance = model.child("instance").ok_or_else(|| missing(model, "instance"))?;
    let root = instance.elements().next();
    Ok(Parts {
        title: head
            .child("title")
            .map(Element::text)
            .unwrap_or_default()
            .trim()
            .to_owned(),
        model,
        root: root.ok_or_else(|| missing(instance, "data"))?,
        body,
    })
}

/// Hides the elements that become no rows: metadata, and the numbers of repeats' instances that stand for an expression
/// of the repeat. Gives the latter by repeat.
fn hide(outline: &mut Outline<'_>, parts: &Parts<'_>) -> HashMap<usize, usize> {
    let meta: Vec<usize> = (0..outline.slots.len())
        .filter(|slot| outline.get(*slot).is_some_and(|slot| metadata::is_meta(outline, slot)))
        .collect();
    let mut counts = HashMap::new();
    for (repeat, slot) in outline.slots.iter().enumerate().filter(|(_, slot)| slot.is_repeat) {
        let written = slot.control.and_then(|control| control.get("jr:count"));
        let target = written.and_then(|path| outline.resolve(path, Some(repeat)));
        let Some(count) = target.and_then(|target| target.slot) else {
            continue;
        };
        let Some(found) = outline.get(count) else { continue };
        let is_generated = found.name == format!("{}_count", slot.name)
            && found.parent == slot.parent
            && found.control.is_none()
            && found.children.is_empty()
            && found.element.attributes.is_empty();
        let is_calculated = found.bind.is_some_and(|bind| {
            let usual = ["nodeset", "type", "readonly", "calculate"];
            let calculation = bind.get("calculate").unwrap_or_default().trim();
            !calculation.is_empty()
                && !is_path(calculation)
                && bind.attributes.iter().all(|(name, _)| usual.contains(&name.as_str()))
        });
        // Where something else looks at the number, it has to stay a row.
        if is_generated && is_calculated && mentions(parts, &found.name) <= 2 {
            counts.insert(repeat, count);
        }
    }
    for slot in meta.iter().chain(counts.values()) {
        if let Some(slot) = outline.slots.get_mut(*slot) {
            slot.is_hidden = true;
        }
    }
    counts
}

/// Whether an expression is a path only, which a repeat can name itself.
fn is_path(expression: &str) -> bool {
    let is_step = |character: char| character.is_alphanumeric() || matches!(character, '/' | '.' | '_' | '-');
    expression.contains('/') && expression.chars().all(is_step)
}

/// How many attributes of the model and the body mention a name.
fn mentions(parts: &Parts<'_>, name: &str) -> usize {
    let mut count = 0;
    let mut left = vec![parts.body];
    left.extend(parts.model.elements().filter(|element| element.name != "instance"));
    while let Some(element) = left.pop() {
        let values = element.attributes.iter().filter(|(_, value)| value.contains(name));
        count += values.count();
        left.extend(element.elements());
    }
    count
}

/// The elements that become rows in the form's order, and the position of each.
fn in_order(outline: &Outline<'_>) -> (Vec<usize>, HashMap<usize, usize>) {
    let mut order = Vec::new();
    let mut positions = HashMap::new();
    let mut left: Vec<usize> = outline.in_order(None);
    left.reverse();
    while let Some(slot) = left.pop() {
        positions.insert(slot, order.len());
        order.push(slot);
        left.extend(outline.in_order(Some(slot)).into_iter().rev());
    }
    (order, positions)
}

/// A form of the same rows without their expressions, by which paths are written.
fn skeleton(
    outline: &Outline<'_>,
    order: &[usize],
    positions: &HashMap<usize, usize>,
    settings: &Settings,
) -> Result<Form, FormProblems> {
    let mut places = Vec::with_capacity(order.len());
    let nodes = order.iter().filter_map(|slot| outline.get(*slot)).map(|slot| {
        use crate::model::NodeKind;
        let kind = match slot.is_container() {
            true if slot.is_repeat => NodeKind::Repeat,
            true => NodeKind::Group,
            false => NodeKind::Hidden,
        };
        places.push(slot.spot().place());
        let parent = slot.parent.and_then(|parent| positions.get(&parent).copied());
        FormNode::new(slot.name.clone(), kind, parent)
    });
    let mut nodes: Vec<FormNode> = nodes.collect();
    if nodes.is_empty() {
        // A form may consist of metadata only; whether there are any is seen when the whole form is checked.
        nodes.push(FormNode::new("_", crate::model::NodeKind::Hidden, None));
    }
    let definition = FormDefinition {
        nodes,
        settings: Settings {
            root_name: settings.root_name.clone(),
            omit_instance_id: settings.omit_instance_id,
            ..Settings::default()
        },
        languages: vec![crate::model::Language {
            code: String::new(),
            name: String::new(),
        }],
        choices: Default::default(),
        external_choices: Default::default(),
        osm_tags: Default::default(),
        entities: Vec::new(),
    };
    Form::compile(definition.clone()).map_err(|_| in_xform(definition, &places))
}

fn has_duplicates(lists: &crate::model::ChoiceLists) -> bool {
    let mut lists = lists.values();
    lists.any(|choices| {
        let mut names = HashSet::new();
        choices.iter().any(|choice| !names.insert(&choice.name))
    })
}

/// Rows for the files that the form brings along but no select and no `pulldata` names.
fn declared(secondaries: &Secondaries<'_>, nodes: &[FormNode]) -> Vec<(FormNode, Place)> {
    let mut found = Vec::new();
    for (id, secondary) in secondaries {
        let Some((_, format)) = &secondary.file else { continue };
        let offers = |node: &FormNode| {
            let source = node.kind.choice_source();
            source.is_some_and(|source| source.instance_id() == Some(id))
        };
        let is_pulled = pulled(nodes, id);
        if nodes.iter().any(offers) || is_pulled {
            continue;
        }
        let mut node = FormNode::new(id.clone(), crate::model::NodeKind::ExternalData(*format), None);
        node.row = secondary.element.spot.line;
        found.push((node, secondary.element.spot.place()));
    }
    found
}

/// Whether an expression pulls data from the file of that name.
fn pulled(nodes: &[FormNode], id: &str) -> bool {
    nodes.iter().any(|node| {
        let all = [
            &node.calculation,
            &node.constraint,
            &node.read_only,
            &node.required,
            &node.relevant,
            &node.choice_filter,
            &node.default,
        ];
        let mut texts = all.into_iter().flatten();
        texts.any(|text| {
            let mut calls = text.split("pulldata").skip(1);
            calls.any(|call| {
                let first = call
                    .trim_start()
                    .strip_prefix('(')
                    .and_then(|call| call.split_once(','));
                first.is_some_and(|(first, _)| first.trim().trim_matches(['\'', '"']).trim() == id)
            })
        })
    })
}

/// Adds rows for the expressions in texts that a text here cannot hold.
fn append(nodes: &mut Vec<FormNode>, places: &mut Vec<Place>, computed: Vec<Computed>, report: &mut Report) {
    for value in computed {
        let what = Phrase::new(
            "a row computes this expression of a text, which refers to the row",
            "một hàng tính biểu thức này của văn bản, văn bản tham chiếu đến hàng đó",
        );
        report.changed(&value.spot, what, &value.calculation);
        let mut node = FormNode::new(value.name, crate::model::NodeKind::Calculate, value.container);
        node.calculation = Some(value.calculation);
        node.row = value.spot.line;
        nodes.push(node);
        places.push(value.spot.place());
    }
}

/// Puts rows before all others.
fn prepend(nodes: &mut Vec<FormNode>, places: &mut Vec<Place>, first: Vec<(FormNode, Place)>) {
    for node in nodes.iter_mut() {
        node.parent = node.parent.map(|parent| parent + first.len());
    }
    let (mut first_nodes, mut first_places): (Vec<FormNode>, Vec<Place>) = first.into_iter().unzip();
    first_nodes.append(nodes);
    first_places.append(places);
    *nodes = first_nodes;
    *places = first_places;
}
