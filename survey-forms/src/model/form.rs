//! A checked form, ready to be filled.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, OnceLock};

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use sha2::{Digest, Sha256};

use super::check;
use super::choices::Choice;
use super::definition::{FormDefinition, FormNode, Settings};
use super::dependencies::Dependencies;
use super::kind::NodeKind;
use super::problem::{FormProblem, FormProblems};
use super::secondary::{self, DataSource};
use super::text::{Language, NO_LANGUAGE};
use crate::answers::{Answers, InstanceId};
use crate::xpath::{Expression, Name, QuestionIndex, SecondaryInstances};

/// The parsed expressions of one row.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Formulas {
    /// Whether an answer is required.
    pub required: Option<Expression>,
    /// Whether the row is asked.
    pub relevant: Option<Expression>,
    /// Whether the answer is acceptable.
    pub constraint: Option<Expression>,
    /// The computed value.
    pub calculation: Option<Expression>,
    /// The value of a new form or instance, where the default is an expression.
    pub default: Option<Expression>,
    /// Whether the answer may not be changed.
    pub read_only: Option<Expression>,
    /// Whether a choice is offered.
    pub choice_filter: Option<Expression>,
    /// How many instances there are.
    pub repeat_count: Option<Expression>,
}

impl Formulas {
    /// Every expression of the row.
    fn all(&self) -> impl Iterator<Item = &Expression> {
        let all = [
            &self.required,
            &self.relevant,
            &self.constraint,
            &self.calculation,
            &self.default,
            &self.read_only,
            &self.choice_filter,
            &self.repeat_count,
        ];
        all.into_iter().flatten()
    }
}

/// A form that passed every check.
///
/// It serialises as its [`FormDefinition`] and is checked again when it is read back.
#[derive(Debug, Clone)]
pub struct Form {
    definition: FormDefinition,
    formulas: Vec<Formulas>,
    dependencies: Dependencies,
    index: Arc<QuestionIndex>,
    names: Vec<Arc<Name>>,
    /// By which name each row's answers are kept.
    keys: Vec<String>,
    /// The group or repeat of each entity.
    entity_places: Vec<Option<usize>>,
    warnings: Vec<FormProblem>,
    /// The form's own lists as expressions look into them; made when first needed.
    lists: Arc<OnceLock<Arc<SecondaryInstances>>>,
    children: Vec<Vec<usize>>,
    top: Vec<usize>,
    /// The innermost repeat around (or at) each row.
    repeats: Vec<Option<usize>>,
}

impl Form {
    /// Checks a definition and prepares it for filling.
    ///
    /// # Errors
    /// With every problem found: names, lists, references, expressions, circles.
    pub fn compile(definition: FormDefinition) -> Result<Self, FormProblems> {
        let check::Checked {
            formulas,
            dependencies,
            entity_places,
            warnings,
        } = check::check(&definition)?;
        let mut children = vec![Vec::new(); definition.nodes.len()];
        let mut top = Vec::new();
        let mut repeats: Vec<Option<usize>> = Vec::with_capacity(definition.nodes.len());
        for (position, node) in definition.nodes.iter().enumerate() {
            match node.parent {
                Some(parent) => children[parent].push(position),
                None => top.push(position),
            }
            repeats.push(match node.kind {
                NodeKind::Repeat => Some(position),
                _ => node.parent.and_then(|parent| repeats[parent]),
            });
        }
        let keys = keys(&definition);
        let form = Self {
            index: Arc::new(question_index(&definition, &keys)),
            keys,
            entity_places,
            warnings,
            lists: Arc::default(),
            names: definition
                .nodes
                .iter()
                .map(|node| Name::local(node.name.as_str()))
                .collect(),
            definition,
            formulas,
            dependencies,
            children,
            top,
            repeats,
        };
        let mut problems = Vec::new();
        secondary::check(&form, &mut problems);
        if problems.is_empty() {
            Ok(form)
        } else {
            Err(FormProblems(problems))
        }
    }

    /// The form's own lists as expressions look into them: made once, when first needed.
    pub(crate) fn lists(&self, make: impl FnOnce() -> Arc<SecondaryInstances>) -> Arc<SecondaryInstances> {
        self.lists.get_or_init(make).clone()
    }

    /// Every expression of the rows.
    pub(crate) fn expressions(&self) -> impl Iterator<Item = &Expression> {
        self.formulas.iter().flat_map(Formulas::all)
    }

    /// What the form's author should look at though the form works.
    pub fn warnings(&self) -> &[FormProblem] {
        &self.warnings
    }

    /// The data that must come beside the form, each source once, in the order of use.
    pub fn data_sources(&self) -> Vec<DataSource<'_>> {
        secondary::external(self)
    }

    /// The plain data.
    pub fn definition(&self) -> &FormDefinition {
        &self.definition
    }

    /// The settings.
    pub fn settings(&self) -> &Settings {
        &self.definition.settings
    }

    /// The languages, the default one first.
    pub fn languages(&self) -> &[Language] {
        &self.definition.languages
    }

    /// The rows in the form's order.
    pub fn nodes(&self) -> &[FormNode] {
        &self.definition.nodes
    }

    /// The row of that key.
    pub fn node(&self, key: &str) -> Option<&FormNode> {
        self.definition.nodes.get(self.position(key)?)
    }

    /// The position of the row of that key.
    pub fn position(&self, key: &str) -> Option<usize> {
        self.index.positions.get(key).copied()
    }

    /// By which name the answers of the row at `position` are kept: its own name where no other row has it, else the
    /// names of the groups around it and its own, separated by `/`.
    pub fn key(&self, position: usize) -> &str {
        self.keys.get(position).map_or("", String::as_str)
    }

    /// The position of the group or repeat that the entity declared at `declared` stands in; none for the whole form.
    pub fn entity_place(&self, declared: usize) -> Option<usize> {
        self.entity_places.get(declared).copied().flatten()
    }

    /// The parsed expressions of the row at `position`.
    pub fn formulas(&self, position: usize) -> Option<&Formulas> {
        self.formulas.get(position)
    }

    /// The choices of a select question, unfiltered; empty for other rows.
    pub fn choices(&self, node: &FormNode) -> &[Choice] {
        let list = node.list().and_then(|list| self.definition.choices.get(list));
        list.map_or(&[], Vec::as_slice)
    }

    /// The positions of the rows directly inside the group or repeat at `position`.
    pub fn children(&self, position: usize) -> &[usize] {
        self.children.get(position).map_or(&[], Vec::as_slice)
    }

    /// The positions of the rows that are in no group or repeat.
    pub fn top(&self) -> &[usize] {
        &self.top
    }

    /// The position of the innermost repeat around the row, or of the row itself where it is one.
    pub fn repeat_of(&self, position: usize) -> Option<usize> {
        self.repeats.get(position).copied().flatten()
    }

    /// All instances of a repeat in a store, whatever instances they stand in, in the order in which people see them.
    pub fn instances(&self, answers: &impl Answers, repeat: usize) -> Vec<InstanceId> {
        let around = self.nodes().get(repeat).and_then(|row| row.parent);
        let key = self.key(repeat);
        match around.and_then(|around| self.repeat_of(around)) {
            None => answers.instances(key, None),
            Some(around) => {
                let outer = self.instances(answers, around).into_iter();
                outer.flat_map(|outer| answers.instances(key, Some(&outer))).collect()
            }
        }
    }

    /// The SHA-256 of the form's content: it identifies a version of a form, whatever version label the author gave.
    ///
    /// The hash is over the JSON text of the definition, whose fields have a fixed order and whose maps are sorted. Row
    /// numbers and the file's formatting take no part, so a workbook that was only made prettier has the same hash.
    pub fn content_hash(&self) -> [u8; 32] {
        // A definition holds only text, numbers and maps with text keys, which JSON always can.
        let text = serde_json::to_vec(&self.definition).unwrap_or_default();
        Sha256::digest(&text).into()
    }

    pub(crate) fn index(&self) -> &Arc<QuestionIndex> {
        &self.index
    }

    pub(crate) fn element_name(&self, position: usize) -> Arc<Name> {
        self.names.get(position).cloned().unwrap_or_default()
    }

    pub(crate) fn dependencies(&self) -> &Dependencies {
        &self.dependencies
    }
}

/// Names are unique among siblings only, so the path of names is unique in the form.
fn keys(definition: &FormDefinition) -> Vec<String> {
    let mut occurrences: HashMap<&str, usize> = HashMap::new();
    for node in &definition.nodes {
        *occurrences.entry(&node.name).or_default() += 1;
    }
    let mut paths: Vec<String> = Vec::with_capacity(definition.nodes.len());
    for node in &definition.nodes {
        let parent = node.parent.and_then(|parent| paths.get(parent));
        paths.push(parent.map_or_else(|| node.name.clone(), |parent| format!("{parent}/{}", node.name)));
    }
    let keys = paths.into_iter().zip(&definition.nodes).map(|(path, node)| {
        let is_unique = occurrences.get(node.name.as_str()) == Some(&1);
        if is_unique { node.name.clone() } else { path }
    });
    keys.collect()
}

fn question_index(definition: &FormDefinition, keys: &[String]) -> QuestionIndex {
    let nodes = || definition.nodes.iter().enumerate();
    let positions = keys.iter().cloned().zip(0..).collect();
    let default_language = definition.languages.first().map(|language| language.code.clone());
    let mut choice_labels = BTreeMap::new();
    for (position, node) in nodes() {
        if let Some(choices) = node.list().and_then(|list| definition.choices.get(list)) {
            let labels = choices.iter().map(|choice| {
                let mut texts = choice.label.0.clone();
                if let (Some(plain), Some(language)) = (texts.remove(NO_LANGUAGE), &default_language) {
                    texts.insert(language.clone(), plain);
                }
                (choice.name.clone(), texts)
            });
            choice_labels.insert(position, labels.collect());
        }
    }
    QuestionIndex {
        positions,
        choice_labels,
        languages: definition
            .languages
            .iter()
            .map(|language| language.code.clone())
            .collect(),
    }
}

impl Serialize for Form {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.definition.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Form {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let definition = FormDefinition::deserialize(deserializer)?;
        Self::compile(definition).map_err(serde::de::Error::custom)
    }
}
