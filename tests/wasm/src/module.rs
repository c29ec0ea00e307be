//! Requests, and the session that they are about.

use std::convert::Infallible;

use serde::{Deserialize, Serialize};
use survey_forms::answers::{AnswerMap, AnswerPath, InstanceId, Value};
use survey_forms::model::{Form, FormDefinition, FormProblems};
use survey_forms::session::{AnswerError, Session};
use survey_forms::xpath::{self, EvaluationContext, EvaluationError, SyntaxError, Variables};
use thiserror::Error;

use crate::replies::{Problem, Question, Reply, written};

/// The longest request that is taken; a form of ten thousand rows with two languages stays below.
pub const MAX_REQUEST_BYTES: usize = 16 << 20;

/// What a phone asks. As JSON it is an object of one key, or a bare name where there is nothing to say.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Request {
    /// Opens a form without answers, in place of the one that was open, and records what a form records when it is begun.
    Open {
        /// The form.
        form: Box<FormDefinition>,
        /// The time, the language, the device and chance.
        context: EvaluationContext,
    },
    /// Gives an answer.
    Answer {
        /// The question.
        path: AnswerPath,
        /// The answer; none removes it.
        value: Option<Value>,
    },
    /// Adds an instance to a repeat.
    AddInstance {
        /// The repeat's key.
        repeat: String,
        /// The instance around it.
        parent: Option<InstanceId>,
        /// The new instance.
        instance: InstanceId,
    },
    /// Removes an instance from a repeat.
    RemoveInstance {
        /// The repeat's key.
        repeat: String,
        /// The instance.
        instance: InstanceId,
    },
    /// The value at a place, answered or computed.
    Value(AnswerPath),
    /// The questions that are to be asked now.
    Questions,
    /// What is missing or wrong.
    Validate,
    /// An expression over the answers, as text.
    Evaluate(String),
    /// Computes everything anew.
    Refresh,
}

/// Why a request has no value.
#[derive(Debug, Error)]
pub enum ModuleError {
    /// The request is no [`Request`] as JSON.
    #[error("the request cannot be read: {0}")]
    Unreadable(#[from] serde_json::Error),
    /// A request about a form before one was opened.
    #[error("no form is open; open one first")]
    NotOpen,
    /// The form has problems.
    #[error(transparent)]
    Form(#[from] FormProblems),
    /// The answer or instance was refused.
    #[error(transparent)]
    Answer(#[from] AnswerError<Infallible>),
    /// The expression cannot be read.
    #[error(transparent)]
    Syntax(#[from] SyntaxError),
    /// The expression has no value.
    #[error(transparent)]
    Evaluation(#[from] EvaluationError),
}

impl ModuleError {
    /// The error in Vietnamese.
    pub fn vietnamese(&self) -> String {
        match self {
            Self::Unreadable(error) => format!("không đọc được yêu cầu: {error}"),
            Self::NotOpen => "chưa mở biểu mẫu nào; hãy mở biểu mẫu trước".to_owned(),
            Self::Form(problems) => problems.vietnamese(),
            Self::Answer(error) => error.vietnamese(),
            Self::Syntax(error) => error.vietnamese(),
            Self::Evaluation(error) => error.vietnamese(),
        }
    }
}

/// One form being filled in.
///
/// A session borrows its form, and both live here together, so an opened form stays in memory as long as the program: a
/// page that opens many forms instantiates the module once a form.
#[derive(Debug, Default)]
pub struct Module {
    session: Option<Session<'static, AnswerMap>>,
}

impl Module {
    /// Handles a [`Request`] written as JSON. The reply is JSON too: `{"value": …}`, or `{"error": {"vi": …, "en": …}}`
    /// where nothing was changed.
    pub fn handle(&mut self, request: &[u8]) -> Vec<u8> {
        let reply = serde_json::from_slice(request)
            .map_err(ModuleError::from)
            .and_then(|request| self.reply(request));
        written(&reply)
    }

    fn reply(&mut self, request: Request) -> Result<Reply, ModuleError> {
        if let Request::Open { form, context } = request {
            let form: &'static Form = Box::leak(Box::new(Form::compile(*form)?));
            let mut session = Session::new(form, AnswerMap::default(), context);
            session.begin()?;
            self.session = Some(session);
            return Ok(Reply::Done(()));
        }
        let session = self.session.as_mut().ok_or(ModuleError::NotOpen)?;
        Ok(match request {
            // Handled above, where there need not be a session.
            Request::Open { .. } => Reply::Done(()),
            Request::Answer {
                path,
                value: Some(value),
            } => Reply::Done(session.answer(&path, value)?),
            Request::Answer { path, value: None } => Reply::Done(session.clear(&path)?),
            Request::AddInstance {
                repeat,
                parent,
                instance,
            } => Reply::Done(session.add_instance(&repeat, parent.as_ref(), &instance)?),
            Request::RemoveInstance { repeat, instance } => Reply::Done(session.remove_instance(&repeat, &instance)?),
            Request::Value(path) => Reply::Value(session.value(&path)),
            Request::Questions => Reply::Questions(
                session
                    .questions()
                    .into_iter()
                    .map(|asked| Question::of(session, asked))
                    .collect(),
            ),
            Request::Validate => Reply::Problems(session.validate().into_iter().map(Problem::from).collect()),
            Request::Evaluate(expression) => {
                let expression = xpath::parse(&expression)?;
                let tree = session.tree();
                let object = xpath::evaluate(&expression, tree, tree.start(), session.context(), &Variables::new())?;
                Reply::Text(object.to_text(tree))
            }
            Request::Refresh => {
                session.refresh();
                Reply::Done(())
            }
        })
    }
}
