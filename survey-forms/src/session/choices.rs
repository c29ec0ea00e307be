//! Which choices a select question offers now.

use std::borrow::Cow;

use super::Session;
use crate::answers::{AnswerPath, AnswersMut};
use crate::model::{Choice, ChoiceSource, DataFile, FormNode, Media, Translations};
use crate::xpath::{Expression, NodeId, randomness, text_to_number};

impl<'f, S: AnswersMut> Session<'f, S> {
    /// The choices that are offered now, of a select question, in the order in which they are to be shown; empty for
    /// others, and for a select whose choices are in a file that the session was not given.
    pub fn choices(&self, path: &AnswerPath) -> Vec<Cow<'f, Choice>> {
        self.known_choices(path).unwrap_or_default()
    }

    /// The choices offered; none where they are in a file.
    pub(super) fn known_choices(&self, path: &AnswerPath) -> Option<Vec<Cow<'f, Choice>>> {
        let position = self.form.position(&path.question)?;
        let row = self.form.nodes().get(position)?;
        let filter = self
            .form
            .formulas(position)
            .and_then(|formulas| formulas.choice_filter.as_ref());
        let definition = self.form.definition();
        let node = self.node(path);
        let mut offered = match row.kind.choice_source() {
            None => Vec::new(),
            Some(source @ ChoiceSource::File { format, .. }) => {
                let instance = self.instance.tree.secondary().instance(source.instance_id()?)?;
                self.offered_of_file(row, instance, format, filter, node)
            }
            Some(ChoiceSource::List(name)) => self.offered_of_list(definition.choices.get(name), filter, node),
            Some(ChoiceSource::External(name)) => {
                self.offered_of_list(definition.external_choices.get(name), filter, node)
            }
            Some(ChoiceSource::Question(name)) => self.offered_answers(name, filter, node?),
        };
        if row.parameters.get("randomize").is_some_and(|value| value == "true")
            && let Some(seed) = self.seed(position, row, node)
        {
            randomness::shuffle(&mut offered, seed);
        }
        Some(offered)
    }

    fn offered_of_list(
        &self,
        list: Option<&'f Vec<Choice>>,
        filter: Option<&Expression>,
        node: Option<NodeId>,
    ) -> Vec<Cow<'f, Choice>> {
        let choices = list.into_iter().flatten();
        let passes = |choice: &&Choice| match (filter, node) {
            (Some(filter), Some(node)) => self.offers(filter, choice, node),
            _ => true,
        };
        choices.filter(passes).map(Cow::Borrowed).collect()
    }

    /// One choice for each row of a file.
    fn offered_of_file(
        &self,
        row: &FormNode,
        instance: NodeId,
        format: DataFile,
        filter: Option<&Expression>,
        node: Option<NodeId>,
    ) -> Vec<Cow<'f, Choice>> {
        let tree = &self.instance.tree;
        let (name, label) = format.choice_columns();
        let parameter = |parameter: &str, otherwise| row.parameters.get(parameter).map_or(otherwise, String::as_str);
        let (name, label) = (parameter("value", name), parameter("label", label));
        let items = tree.children(instance).flat_map(|root| tree.children(root));
        let mut offered = Vec::new();
        for item in items {
            let text = |column: &str| {
                let cell = tree.children(item).find(|cell| tree.name(*cell).local == column);
                cell.map(|cell| tree.text_of(cell).into_owned())
            };
            let passes = match (filter, node) {
                (Some(filter), Some(node)) => self.evaluates_to_true(&filter.with_names_replaced(&text), node),
                _ => true,
            };
            let Some(name) = text(name).filter(|name| passes && !name.is_empty()) else {
                continue;
            };
            offered.push(Cow::Owned(Choice {
                label: Translations::plain(text(label).unwrap_or_default()),
                name,
                media: Media::new(),
                other: indexmap::IndexMap::new(),
                row: 0,
            }));
        }
        offered
    }

    /// One choice for each answer to a question inside a repeat. The filter is about the instance of each.
    fn offered_answers(&self, question: &str, filter: Option<&Expression>, node: NodeId) -> Vec<Cow<'f, Choice>> {
        let tree = &self.instance.tree;
        let answers = tree.referenced(question, node).unwrap_or_default().iter().copied();
        let answers = answers.filter(|answer| tree.is_relevant(*answer) && !tree.value(*answer).is_empty());
        let offered = answers.filter(|answer| filter.is_none_or(|filter| self.evaluates_to_true(filter, *answer)));
        let choice = |answer| Choice {
            name: tree.value(answer).to_owned(),
            label: Translations::plain(tree.value(answer)),
            media: Media::new(),
            other: indexmap::IndexMap::new(),
            row: 0,
        };
        offered.map(|answer| Cow::Owned(choice(answer))).collect()
    }

    /// Whether a choice passes the filter: names in it are the choice's own columns, `${…}` refers to the form.
    fn offers(&self, filter: &Expression, choice: &Choice, origin: NodeId) -> bool {
        let filter = filter.with_names_replaced(&|name| match name {
            "name" => Some(choice.name.clone()),
            "label" => Some(self.text_of_label(choice)),
            _ => choice.other.get(name).cloned(),
        });
        self.evaluates_to_true(&filter, origin)
    }

    fn text_of_label(&self, choice: &Choice) -> String {
        let text = choice.label.get(&self.context.language, self.form.languages());
        text.unwrap_or_default().to_owned()
    }

    /// The seed that the parameter `seed` gives, a number or a `${question}`; without it one of the session's own for
    /// each row, so that the order stays while somebody chooses. None where chance was not passed in.
    fn seed(&self, position: usize, row: &FormNode, node: Option<NodeId>) -> Option<i64> {
        let Some(written) = row.parameters.get("seed") else {
            // No expression draws so often at one place: the bytes are nobody else's.
            let bytes = self
                .context
                .random_seed?
                .bytes_at(u32::try_from(position).ok()?, u32::MAX);
            return Some(randomness::seed_from(&bytes));
        };
        let reference = written.strip_prefix("${").and_then(|rest| rest.strip_suffix('}'));
        let text = match reference {
            None => Cow::Borrowed(written.as_str()),
            Some(question) => {
                let tree = &self.instance.tree;
                let seed = tree.referenced(question, node?)?.first()?;
                tree.text_of(*seed)
            }
        };
        let number = text_to_number(&text, self.context.now.utc_offset_minutes);
        Some(randomness::seed_of(number, &text))
    }
}
