//! Reading a response document and bringing other people's changes into it.

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};

use automerge::{ActorId, Automerge, AutomergeError, Change, ChangeHash, ObjId, ObjType, ReadDoc, ScalarValue};
use survey_forms::answers::{AnswerMap, AnswerPath, AnswersMut, InstanceId, Value};

use super::causality::{Clocks, Misfit};
use super::{
    ADDRESS, ADDRESS_CHARACTERS, CHOICE_SEPARATOR, Conflict, Edit, PARENT, POSITION, REMOVED, REPEAT, Visit,
    VisitSource, conflict, genesis, read_question,
};
use crate::identity::ResponseId;

/// What goes wrong with a response document.
#[derive(Debug, thiserror::Error)]
pub enum ResponseError {
    /// A change does not fit the document, for example two changes with one sequence number of one author.
    #[error("response {response}: {source}")]
    Automerge {
        /// The response.
        response: ResponseId,
        /// Automerge's reason.
        source: Box<AutomergeError>,
    },
    /// A change does not follow from the changes that it builds on.
    #[error("response {response}: change {change} cannot be: {misfit}")]
    Misfit {
        /// The response.
        response: ResponseId,
        /// The change.
        change: ChangeHash,
        /// What does not fit.
        misfit: Misfit,
    },
    /// An edit names a repeat instance that the response does not have.
    #[error("response {response} has no member {instance}; add it first")]
    UnknownInstance {
        /// The response.
        response: ResponseId,
        /// The missing instance.
        instance: InstanceId,
    },
    /// A name that a response document keeps for itself or cannot hold.
    #[error("response {response}: {name:?} cannot be the name of a question or choice")]
    ReservedName {
        /// The response.
        response: ResponseId,
        /// The name.
        name: String,
    },
    /// An address without words, or one that is too long.
    #[error("response {response}: an address has 1 to {ADDRESS_CHARACTERS} characters on one line")]
    Address {
        /// The response.
        response: ResponseId,
    },
}

impl ResponseError {
    pub(super) fn automerge(response: ResponseId, source: AutomergeError) -> Self {
        Self::Automerge {
            response,
            source: Box::new(source),
        }
    }

    /// The error in Vietnamese.
    pub fn vietnamese(&self) -> String {
        match self {
            Self::Automerge { response, source } => {
                format!("phiếu {response}: thay đổi không khớp với phiếu ({source})")
            }
            Self::Misfit {
                response,
                change,
                misfit,
            } => {
                format!(
                    "phiếu {response}: thay đổi {change} không hợp lệ: {}",
                    misfit.vietnamese()
                )
            }
            Self::UnknownInstance { response, instance } => {
                format!("phiếu {response} không có thành viên {instance}; hãy thêm người này trước")
            }
            Self::ReservedName { response, name } => {
                format!("phiếu {response}: {name:?} không thể là tên câu hỏi hoặc lựa chọn")
            }
            Self::Address { response } => {
                format!("phiếu {response}: địa chỉ phải có từ 1 đến {ADDRESS_CHARACTERS} ký tự, trên một dòng")
            }
        }
    }
}

/// One unit's answers in one round.
#[derive(Debug, Clone)]
pub struct Response {
    pub(super) id: ResponseId,
    pub(super) document: Automerge,
    clocks: Clocks,
    /// Changes whose dependencies are missing.
    pub(super) waiting: Vec<Change>,
    /// Changes whose authors wrote others, which are here, under the same sequence numbers.
    pub(super) contradicting: Vec<Change>,
}

/// A repeat instance as it stands in the document.
struct Member {
    position: i64,
    instance: InstanceId,
    repeat: String,
    object: ObjId,
}

/// What a response says at one moment.
#[derive(Debug, Clone, Default)]
pub struct Reading {
    /// The answers; where concurrent ones differ, the winning ones.
    pub answers: AnswerMap,
    /// Where concurrent answers differ, in the order of the questions' addresses.
    pub conflicts: Vec<Conflict>,
    /// The visits by their identities.
    pub visits: BTreeMap<String, Visit>,
    /// Where the household is to be found, if it was added in the field; of concurrent addresses the winning one, for people
    /// read it and nothing is computed from it.
    pub address: Option<String>,
}

impl Response {
    /// A response without answers, as every replica makes it.
    ///
    /// # Errors
    /// [`ResponseError::Automerge`], in practice never.
    pub fn new(id: ResponseId) -> Result<Self, ResponseError> {
        let document = genesis::document(id).map_err(|source| ResponseError::automerge(id, source))?;
        Ok(Self {
            id,
            document,
            clocks: Clocks::default(),
            waiting: Vec::new(),
            contradicting: Vec::new(),
        })
    }

    /// A response with these changes, in any order. Those whose dependencies are missing wait for them.
    ///
    /// # Errors
    /// As [`Self::apply`].
    pub fn with_changes(id: ResponseId, changes: impl IntoIterator<Item = Change>) -> Result<Self, ResponseError> {
        let mut response = Self::new(id)?;
        response.apply(changes)?;
        Ok(response)
    }

    /// A response from changes that [`apply`](Self::apply) took when they first came: a log or a device's own store. They
    /// are believed, which is several times as quick.
    ///
    /// # Errors
    /// [`ResponseError::Automerge`] when the changes contradict one another.
    pub fn restored(id: ResponseId, changes: impl IntoIterator<Item = Change>) -> Result<Self, ResponseError> {
        let mut response = Self::new(id)?;
        let changes: Vec<Change> = changes.into_iter().collect();
        response
            .document
            .apply_changes(changes)
            .map_err(|source| ResponseError::automerge(id, source))?;
        Ok(response)
    }

    /// The response's name.
    pub fn id(&self) -> ResponseId {
        self.id
    }

    /// Brings changes in, in any order. A change that is here already does nothing; one whose dependencies are missing
    /// waits for them. A change that cannot be is left out, and keeps no other from coming in; one that only contradicts
    /// what is here is set aside, since it may be this replica that is not what the log says
    /// (see [`rewritten`](Self::rewritten)).
    ///
    /// # Errors
    /// Of the first change that was left out: [`ResponseError::Misfit`] when it does not follow from what it builds on,
    /// [`ResponseError::Automerge`] when it contradicts the history by reusing an author's sequence number.
    pub fn apply(&mut self, changes: impl IntoIterator<Item = Change>) -> Result<(), ResponseError> {
        let arrived = std::mem::take(&mut self.waiting).into_iter().chain(changes);
        let mut left: HashMap<ChangeHash, (usize, Change)> = HashMap::new();
        let mut dependents: HashMap<ChangeHash, Vec<ChangeHash>> = HashMap::new();
        let mut ready = VecDeque::new();
        for change in arrived {
            let hash = change.hash();
            if self.has(&hash) || left.contains_key(&hash) {
                continue;
            }
            let missing: BTreeSet<ChangeHash> = change.deps().iter().filter(|hash| !self.has(hash)).copied().collect();
            if missing.is_empty() {
                ready.push_back(hash);
            }
            for dependency in &missing {
                dependents.entry(*dependency).or_default().push(hash);
            }
            left.insert(hash, (missing.len(), change));
        }

        let mut first = None;
        while let Some(hash) = ready.pop_front() {
            let Some((_, change)) = left.remove(&hash) else {
                continue;
            };
            if let Err(error) = self.apply_ready(change) {
                first.get_or_insert(error);
                continue;
            }
            for dependent in dependents.remove(&hash).unwrap_or_default() {
                if let Some((missing, _)) = left.get_mut(&dependent) {
                    *missing -= 1;
                    if *missing == 0 {
                        ready.push_back(dependent);
                    }
                }
            }
        }
        self.waiting = left.into_values().map(|(_, change)| change).collect();
        first.map_or(Ok(()), Err)
    }

    /// Brings in a change whose dependencies are all here.
    pub(super) fn apply_ready(&mut self, change: Change) -> Result<(), ResponseError> {
        self.clocks
            .check(&self.document, &change)
            .map_err(|misfit| ResponseError::Misfit {
                response: self.id,
                change: change.hash(),
                misfit,
            })?;
        self.document.apply_changes([change.clone()]).map_err(|source| {
            let hash = change.hash();
            if self.contradicting.iter().all(|aside| aside.hash() != hash) {
                self.contradicting.push(change);
            }
            ResponseError::automerge(self.id, source)
        })
    }

    /// Brings in all that another replica of this response has.
    ///
    /// # Errors
    /// As [`Self::apply`].
    pub fn merge(&mut self, other: &Self) -> Result<(), ResponseError> {
        let missing = self.document.get_changes_added(&other.document);
        self.apply(missing)
    }

    /// Every change but the genesis, dependencies before dependents.
    pub fn changes(&self) -> Vec<Change> {
        let genesis = genesis::actor(self.id);
        self.document
            .get_changes(&[])
            .into_iter()
            .filter(|change| *change.actor_id() != genesis)
            .collect()
    }

    /// The changes that one author wrote, in the order in which it wrote them.
    pub fn changes_of(&self, author: &ActorId) -> Vec<Change> {
        let mut changes = self.document.get_changes(&[]);
        changes.retain(|change| change.actor_id() == author);
        changes
    }

    /// The changes on which no other depends.
    pub fn heads(&self) -> Vec<ChangeHash> {
        self.document.get_heads()
    }

    /// Whether the change with this hash is in the document (and not waiting for its dependencies).
    pub fn has(&self, hash: &ChangeHash) -> bool {
        self.document.get_change_meta_by_hash(hash).is_some()
    }

    /// Whether the change with this hash waits for its dependencies.
    pub fn awaits(&self, hash: &ChangeHash) -> bool {
        self.waiting.iter().any(|change| change.hash() == *hash)
    }

    /// The document itself, for rooms that speak Automerge's own protocol of synchronisation.
    pub(crate) fn document(&self) -> &Automerge {
        &self.document
    }

    /// As [`Self::document`], where Automerge asks for more than it uses: nobody changes the document by it.
    pub(crate) fn document_mut(&mut self) -> &mut Automerge {
        &mut self.document
    }

    /// The document as an Automerge file, which any Automerge implementation opens.
    pub fn save(&self) -> Vec<u8> {
        self.document.save()
    }

    /// Edits the response as `actor` at `time` (the device's clock, in seconds since 1970-01-01T00:00:00Z) in one
    /// change, and returns that change, or none where the edit wrote nothing.
    ///
    /// # Errors
    /// Whatever `edit` answers; the response is as before then.
    pub fn edit<T, E: From<ResponseError>>(
        &mut self,
        actor: &ActorId,
        time: i64,
        edit: impl FnOnce(&mut Edit<'_>) -> Result<T, E>,
    ) -> Result<(T, Option<Change>), E> {
        self.document.set_actor(actor.clone());
        let reading = self.read();
        let mut open = Edit::begin(self.id, &mut self.document, reading);
        match edit(&mut open) {
            Ok(outcome) => {
                let hash = open.commit(time);
                let change = hash.and_then(|hash| self.document.get_change_by_hash(&hash));
                Ok((outcome, change))
            }
            Err(error) => {
                open.rollback();
                Err(error)
            }
        }
    }

    /// Reads everything in one pass.
    pub fn read(&self) -> Reading {
        let [answers, members, visits] = genesis::objects(self.id);
        let mut reading = Reading::default();
        self.read_answers(&answers, None, &mut reading);
        let address = scalar(&self.document, &answers, ADDRESS);
        reading.address = address.as_ref().and_then(ScalarValue::as_str).and_then(one_line);

        let mut rosters: BTreeMap<Option<InstanceId>, Vec<Member>> = BTreeMap::new();
        for (instance, object) in maps(&self.document, &members) {
            let text = |key| scalar(&self.document, &object, key).and_then(|value| value.as_str().map(str::to_owned));
            if is_removed(&self.document, &object) {
                continue;
            }
            let Some(repeat) = text(REPEAT) else { continue };
            let position = scalar(&self.document, &object, POSITION).and_then(|value| value.as_i64());
            rosters
                .entry(text(PARENT).map(InstanceId::new))
                .or_default()
                .push(Member {
                    position: position.unwrap_or(i64::MAX),
                    instance: InstanceId::new(instance),
                    repeat,
                    object,
                });
        }
        // From the top down: what stands in an instance that was removed, or in itself, is never reached.
        let mut outer = VecDeque::from([None]);
        while let Some(parent) = outer.pop_front() {
            let mut roster = rosters.remove(&parent).unwrap_or_default();
            roster.sort_by(|one, other| (one.position, &one.instance).cmp(&(other.position, &other.instance)));
            for member in roster {
                let Ok(()) = reading
                    .answers
                    .add_instance(&member.repeat, parent.as_ref(), &member.instance);
                self.read_answers(&member.object, Some(&member.instance), &mut reading);
                outer.push_back(Some(member.instance));
            }
        }

        for (visit, object) in maps(&self.document, &visits) {
            reading.visits.insert(visit, Visit::read(&self.document, &object));
        }
        reading
    }

    /// Which changes wrote the times of each visit, by the visits' identities.
    pub fn visit_sources(&self) -> BTreeMap<String, VisitSource> {
        let [_, _, visits] = genesis::objects(self.id);
        let visits = maps(&self.document, &visits).into_iter();
        visits
            .map(|(visit, object)| (visit, VisitSource::read(&self.document, &object)))
            .collect()
    }

    fn read_answers(&self, object: &ObjId, instance: Option<&InstanceId>, reading: &mut Reading) {
        let mut choices: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for item in self.document.map_range(object, ..) {
            let key: &str = &item.key;
            if key.starts_with('@') {
                continue;
            }
            if let Some((question, choice)) = key.split_once(CHOICE_SEPARATOR) {
                if is_ticked(&self.document, object, key) {
                    choices
                        .entry(read_question(question))
                        .or_default()
                        .insert(choice.to_owned());
                }
                continue;
            }
            let path = AnswerPath {
                instance: instance.cloned(),
                question: read_question(key),
            };
            if item.conflict
                && let Some(conflict) = conflict::at(&self.document, object, key, path.clone())
            {
                reading.conflicts.push(conflict);
            }
            if let Some(Some(value)) = value_of(&item.value.into_value()) {
                let Ok(()) = reading.answers.put_answer(&path, &value);
            }
        }
        for (question, names) in choices {
            let path = AnswerPath {
                instance: instance.cloned(),
                question,
            };
            let Ok(()) = reading.answers.put_answer(&path, &Value::Choices(names));
        }
    }
}

/// An address as it is kept: without white space around it, and without line breaks or other control characters, which no
/// list could show. None where nothing is left or it is too long, whoever wrote it.
pub(super) fn one_line(address: &str) -> Option<String> {
    let words = address.split(|letter: char| letter.is_whitespace() || letter.is_control());
    let line = words.filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ");
    (1..=ADDRESS_CHARACTERS).contains(&line.chars().count()).then_some(line)
}

/// The answer that a stored value stands for: the outer option is empty for values that are no answers (maps, bytes),
/// the inner one for a cleared answer.
pub(super) fn value_of(value: &automerge::Value<'_>) -> Option<Option<Value>> {
    match value.as_scalar()? {
        ScalarValue::Null => Some(None),
        ScalarValue::Str(text) => Some(Some(Value::Text(text.to_string()))),
        ScalarValue::Int(number) => Some(Some(Value::Integer(*number))),
        ScalarValue::Uint(number) => i64::try_from(*number).ok().map(|number| Some(Value::Integer(number))),
        ScalarValue::F64(number) => Some(Some(Value::Decimal(*number))),
        _ => None,
    }
}

/// The scalar at `key`, the winning one where there are several.
pub(super) fn scalar<D: ReadDoc>(document: &D, object: &ObjId, key: &str) -> Option<ScalarValue> {
    let (value, _) = document.get(object, key).ok()??;
    value.as_scalar().cloned()
}

/// Whether anybody's concurrent value at `key` is true: a tick that one person set stays when another did not know of
/// it, and so does a removal.
pub(super) fn is_ticked<D: ReadDoc>(document: &D, object: &ObjId, key: &str) -> bool {
    document.get_all(object, key).is_ok_and(|values| {
        values
            .iter()
            .any(|(value, _)| value.as_scalar().and_then(ScalarValue::as_bool) == Some(true))
    })
}

/// Whether a member was removed.
pub(super) fn is_removed<D: ReadDoc>(document: &D, object: &ObjId) -> bool {
    is_ticked(document, object, REMOVED)
}

/// The maps inside a map, with their keys.
pub(super) fn maps<D: ReadDoc>(document: &D, object: &ObjId) -> Vec<(String, ObjId)> {
    document
        .map_range(object, ..)
        .filter_map(|item| {
            let id = item.id();
            matches!(item.value, automerge::ValueRef::Object(ObjType::Map)).then(|| (item.key.into_owned(), id))
        })
        .collect()
}
