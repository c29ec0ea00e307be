//! Moving through a form: pages of questions, rosters of people, and the end.
//!
//! Outside rosters and inside each roster instance the places are a line of their own: whoever goes on from the last page of
//! a person comes back to the roster, where the next person is added.

use serde::{Deserialize, Serialize};
use survey_forms::answers::{AnswerPath, InstanceId};
use survey_forms::model::{FormNode, NodeKind};
use survey_forms::session::{AskedQuestion, Row};

use super::OpenInterview;
use crate::problem::PhoneError;

/// How much stands on one page.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Layout {
    /// One question, or the questions of a group with the appearance `field-list`.
    Question,
    /// All questions of a group up to the next roster.
    #[default]
    Section,
}

/// A place in the form.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) enum Place {
    /// Questions.
    Page {
        /// The roster instance that they stand in.
        level: Option<InstanceId>,
        /// The innermost group or repeat around them.
        group: Option<usize>,
        /// The positions of the first and the last of them in the form.
        first: usize,
        last: usize,
    },
    /// A roster's instances.
    Roster { repeat: usize, parent: Option<InstanceId> },
    /// After the last question.
    #[default]
    End,
}

impl Place {
    /// The roster instance that the place stands in.
    pub(crate) fn level(&self) -> Option<&InstanceId> {
        match self {
            Self::Page { level, .. } => level.as_ref(),
            Self::Roster { parent, .. } => parent.as_ref(),
            Self::End => None,
        }
    }

    /// The position in the form up to which the place goes.
    fn last(&self) -> usize {
        match self {
            Self::Page { last, .. } => *last,
            Self::Roster { repeat, .. } => *repeat,
            Self::End => usize::MAX,
        }
    }

    fn first(&self) -> usize {
        match self {
            Self::Page { first, .. } => *first,
            Self::Roster { repeat, .. } => *repeat,
            Self::End => usize::MAX,
        }
    }

    /// The place's name in requests and replies: it stays while answers around it change.
    pub(crate) fn id(&self) -> String {
        let level = self.level().map_or("", InstanceId::as_str);
        match self {
            Self::Page { first, .. } => format!("page/{first}/{level}"),
            Self::Roster { repeat, .. } => format!("roster/{repeat}/{level}"),
            Self::End => "end".to_owned(),
        }
    }
}

impl OpenInterview {
    /// The places of one level, in the form's order; outside all rosters the end is the last.
    pub(crate) fn places(&self, level: Option<&InstanceId>) -> Vec<Place> {
        self.places_by(self.layout, level)
    }

    pub(super) fn places_by(&self, layout: Layout, level: Option<&InstanceId>) -> Vec<Place> {
        let mut places: Vec<Place> = Vec::new();
        for row in self.session.rows(level) {
            match row {
                Row::Roster { repeat, parent } => places.push(Place::Roster { repeat, parent }),
                Row::Question(asked) => {
                    let Some(position) = self.position(&asked.path) else {
                        continue;
                    };
                    let around = asked.node.parent;
                    let together = match layout {
                        Layout::Section => self.section(around),
                        Layout::Question => self.field_list(around),
                    };
                    let joins = layout == Layout::Section || together.is_some();
                    match places.last_mut() {
                        Some(Place::Page { group, last, .. }) if joins && *group == together => *last = position,
                        _ => places.push(Place::Page {
                            level: level.cloned(),
                            group: together,
                            first: position,
                            last: position,
                        }),
                    }
                }
            }
        }
        if level.is_none() {
            places.push(Place::End);
        }
        places
    }

    /// The place where the person is, as the form is now: answers may have made its questions irrelevant.
    pub(crate) fn here(&self) -> Place {
        let places = self.places(self.place.level());
        let mut later = places.into_iter().filter(|place| place.last() >= self.place.first());
        let next = later.next();
        next.or_else(|| self.roster_of(self.place.level()?)).unwrap_or_default()
    }

    /// The place after this one; the end after itself.
    pub(crate) fn next(&self) -> Place {
        let here = self.here();
        let places = self.places(here.level());
        let next = places
            .iter()
            .position(|place| *place == here)
            .map_or(0, |place| place + 1);
        match (places.into_iter().nth(next), here.level()) {
            (Some(place), _) => place,
            (None, Some(instance)) => self.roster_of(instance).unwrap_or_default(),
            (None, None) => Place::End,
        }
    }

    /// The place before this one; the first before itself.
    pub(crate) fn previous(&self) -> Place {
        let here = self.here();
        let places = self.places(here.level());
        let number = places.iter().position(|place| *place == here).unwrap_or(0);
        let before = number.checked_sub(1).and_then(|before| places.into_iter().nth(before));
        before.or_else(|| self.roster_of(here.level()?)).unwrap_or(here)
    }

    /// Goes to the first page of a roster instance.
    ///
    /// # Errors
    /// [`PhoneError::UnknownStep`] when it is not shown now.
    pub(crate) fn enter(&mut self, instance: &InstanceId) -> Result<(), PhoneError> {
        let first = self.places(Some(instance)).into_iter().next();
        self.place = first.ok_or_else(|| PhoneError::UnknownStep(instance.to_string()))?;
        Ok(())
    }

    /// Goes to a place by its name.
    ///
    /// # Errors
    /// [`PhoneError::UnknownStep`] when there is none of that name.
    pub(crate) fn go_to(&mut self, id: &str) -> Result<(), PhoneError> {
        let unknown = || PhoneError::UnknownStep(id.to_owned());
        if id == "end" {
            self.place = Place::End;
            return Ok(());
        }
        let mut parts = id.splitn(3, '/');
        let (kind, number, level) = (parts.next(), parts.next(), parts.next().ok_or_else(unknown)?);
        let number: usize = number.and_then(|number| number.parse().ok()).ok_or_else(unknown)?;
        let level = (!level.is_empty()).then(|| InstanceId::new(level));
        let holds = |place: &Place| match place {
            Place::Page { first, last, .. } => kind == Some("page") && (*first..=*last).contains(&number),
            Place::Roster { repeat, .. } => kind == Some("roster") && *repeat == number,
            Place::End => false,
        };
        let mut places = self.places(level.as_ref()).into_iter();
        self.place = places.find(holds).ok_or_else(unknown)?;
        Ok(())
    }

    /// The roster that an instance belongs to.
    pub(crate) fn roster_of(&self, instance: &InstanceId) -> Option<Place> {
        self.rosters().into_iter().find(|place| match place {
            Place::Roster { repeat, parent } => {
                let instances = self.session.shown_instances(*repeat, parent.as_ref());
                instances.contains(instance)
            }
            _ => false,
        })
    }

    /// Every roster, those inside others after them.
    pub(crate) fn rosters(&self) -> Vec<Place> {
        let mut found = Vec::new();
        let mut levels = vec![None];
        while let Some(level) = levels.pop() {
            for row in self.session.rows(level.as_ref()) {
                if let Row::Roster { repeat, parent } = row {
                    let instances = self.session.shown_instances(repeat, parent.as_ref());
                    levels.extend(instances.into_iter().map(Some));
                    found.push(Place::Roster { repeat, parent });
                }
            }
        }
        found
    }

    /// The questions of a page.
    pub(crate) fn questions_of(&self, place: &Place) -> Vec<AskedQuestion<'static>> {
        let Place::Page { level, first, last, .. } = place else {
            return Vec::new();
        };
        let rows = self.session.rows(level.as_ref()).into_iter();
        rows.filter_map(|row| match row {
            Row::Question(asked) => Some(asked),
            Row::Roster { .. } => None,
        })
        .filter(|asked| {
            let position = self.position(&asked.path);
            position.is_some_and(|position| (*first..=*last).contains(&position))
        })
        .collect()
    }

    /// The page on which a question stands.
    pub(crate) fn page_of(&self, path: &AnswerPath) -> Option<Place> {
        let position = self.position(path)?;
        let places = self.places(path.instance.as_ref()).into_iter();
        places
            .filter(|place| matches!(place, Place::Page { .. }))
            .find(|place| (place.first()..=place.last()).contains(&position))
    }

    pub(super) fn position(&self, path: &AnswerPath) -> Option<usize> {
        self.session.form().position(&path.question)
    }

    pub(super) fn row(&self, position: usize) -> Option<&'static FormNode> {
        self.session.form().nodes().get(position)
    }

    /// The innermost group around a row whose label heads a page: groups without a label only hold a condition.
    fn section(&self, around: Option<usize>) -> Option<usize> {
        self.around(around)
            .find(|position| self.row(*position).is_some_and(|row| !row.label.is_empty()))
    }

    fn field_list(&self, around: Option<usize>) -> Option<usize> {
        self.around(around)
            .find(|position| self.row(*position).is_some_and(|row| row.has_appearance("field-list")))
    }

    /// The groups and the repeat around a row, the innermost first; not those outside the innermost repeat.
    pub(super) fn around(&self, around: Option<usize>) -> impl Iterator<Item = usize> {
        std::iter::successors(around, |position| {
            let row = self.row(*position)?;
            if row.kind == NodeKind::Repeat { None } else { row.parent }
        })
    }
}
