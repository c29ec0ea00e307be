//! The columns of a sample's design, and what is wrong with them in the words of the file.

use indicators::survey::{
    Column, DesignColumns, Joint, Labels, PairForm, Requirement, Selection, SingleUnits, StageColumns, SurveyDesign,
    SurveyError, Within,
};

use super::design::{Design, JointMethod, StageEntry};
use crate::cli::microdata::Data;
use crate::http::Text;
use crate::table::{Faults, TableError};

/// The columns that the design names, as numbers.
pub(super) struct Columns {
    pub(super) weights: Vec<f64>,
    weights_name: String,
    pub(super) stages: Vec<Stage>,
    pub(super) labels: Labels,
    single_units: SingleUnits,
}

/// A column with its name: one entry per row.
pub(super) struct Named<T> {
    pub(super) name: String,
    pub(super) entries: Vec<T>,
}

/// A column of codes with the texts that they stand for.
pub(super) struct NamedCodes {
    pub(super) column: Named<u32>,
    labels: Vec<String>,
}

impl NamedCodes {
    /// The text of a code.
    pub(super) fn label(&self, code: u32) -> &str {
        self.labels.get(code as usize).map_or("", String::as_str)
    }
}

/// One stage's columns.
pub(super) struct Stage {
    pub(super) clusters: Option<NamedCodes>,
    pub(super) strata: Option<NamedCodes>,
    pub(super) population: Option<Named<f64>>,
    probability: Option<Named<f64>>,
    mean_probability: Option<Named<f64>>,
    joint: JointMethod,
    form: PairForm,
}

impl Columns {
    /// Reads the columns, of which no cell may be missing.
    ///
    /// # Errors
    /// [`TableError`] with every cell that is empty or no number.
    pub(super) fn read(design: &Design, data: &Data) -> Result<Self, TableError> {
        let mut faults = Faults::default();
        let weights_name = design.entries.weights.get_ref();
        let weights = data.required_numbers(weights_name, &mut faults);
        let mut stages: Vec<Stage> = Vec::new();
        for entry in &design.entries.stage {
            stages.push(Stage::read(entry, data, &mut faults));
        }
        if stages.is_empty() {
            stages.push(Stage::of_rows());
        }
        faults.or(Self {
            weights,
            weights_name: weights_name.clone(),
            stages,
            labels: design.entries.cluster_codes,
            single_units: design.entries.single_units,
        })
    }

    /// The design with these weights, its own or calibrated ones.
    ///
    /// # Errors
    /// [`SurveyError`], to be told by [`Columns::fault`].
    pub(super) fn design(&self, weights: &[f64]) -> Result<SurveyDesign, SurveyError> {
        SurveyDesign::new(&DesignColumns {
            weights,
            stages: self.stages.iter().map(Stage::columns).collect(),
            labels: self.labels,
            single_units: self.single_units,
        })
    }

    /// The error with the lines of the file, the names of its columns and the texts of its codes.
    pub(super) fn fault(&self, error: &SurveyError, data: &Data) -> TableError {
        let mut faults = Faults::default();
        match error {
            SurveyError::Number {
                row,
                column,
                value,
                must,
            } => {
                let (vi, en) = requirement(*must);
                let problem = Text::new(
                    format!("giá trị {value}; phải {vi}"),
                    format!("{value}; it must be {en}"),
                );
                faults.cell(data.line(*row), &self.name(column), problem);
            }
            SurveyError::ClusterInTwoStrata {
                row,
                stage,
                cluster,
                stratum,
                other_stratum,
                other_row,
            } => {
                let stage = self.stages.get(stage - 1);
                let label =
                    |codes: Option<&NamedCodes>, code: u32| codes.map_or("", |codes| codes.label(code)).to_owned();
                let cluster = label(stage.and_then(|stage| stage.clusters.as_ref()), *cluster);
                let strata = stage.and_then(|stage| stage.strata.as_ref());
                let (stratum, other_stratum) = (label(strata, *stratum), label(strata, *other_stratum));
                let column = strata.map_or("", |strata| strata.column.name.as_str());
                let other = data.line(*other_row);
                let problem = Text::new(
                    format!(
                        "cụm {cluster:?} thuộc tầng {stratum:?} nhưng ở dòng {other} thuộc tầng {other_stratum:?}; một \
                         cụm chỉ thuộc một tầng. Nếu mã cụm được đánh lại trong từng tầng, hãy đặt cluster_codes = \
                         \"within_strata\""
                    ),
                    format!(
                        "cluster {cluster:?} is in stratum {stratum:?} but in line {other} in stratum {other_stratum:?}; \
                         a cluster has one stratum. If codes of clusters start anew in each stratum, set cluster_codes \
                         = \"within_strata\""
                    ),
                );
                faults.cell(data.line(*row), column, problem);
            }
            SurveyError::Varies {
                row,
                column,
                value,
                other_value,
                other_row,
                within,
            } => {
                let other = data.line(*other_row);
                let (vi, en) = match within {
                    Within::Stratum => ("tầng", "stratum"),
                    Within::Cluster => ("cụm", "cluster"),
                };
                let problem = Text::new(
                    format!("giá trị {value}, nhưng ở dòng {other} là {other_value}, trong cùng một {vi}"),
                    format!("{value}, but {other_value} in line {other}, in the same {en}"),
                );
                faults.cell(data.line(*row), &self.name(column), problem);
            }
            other => faults.table(Text::new(other.vietnamese(), other.to_string())),
        }
        match faults.or(()) {
            Err(error) => error,
            // A fault was noted above.
            Ok(()) => TableError {
                faults: Vec::new(),
                untold: 0,
            },
        }
    }

    fn name(&self, column: &Column) -> String {
        let of = |stage: &usize| self.stages.get(stage - 1);
        let codes = |codes: Option<&NamedCodes>| codes.map(|codes| codes.column.name.clone());
        let numbers = |numbers: Option<&Named<f64>>| numbers.map(|numbers| numbers.name.clone());
        let name = match column {
            Column::Weight => Some(self.weights_name.clone()),
            Column::Stratum { stage } => codes(of(stage).and_then(|stage| stage.strata.as_ref())),
            Column::Cluster { stage } => codes(of(stage).and_then(|stage| stage.clusters.as_ref())),
            Column::PopulationSize { stage } => numbers(of(stage).and_then(|stage| stage.population.as_ref())),
            Column::InclusionProbability { stage } => numbers(of(stage).and_then(|stage| stage.probability.as_ref())),
            Column::JointProbability => numbers(self.stages.first().and_then(|stage| stage.mean_probability.as_ref())),
            Column::Value { name } => Some(name.clone()),
            Column::Domain => None,
        };
        name.unwrap_or_default()
    }
}

fn requirement(must: Requirement) -> (String, String) {
    match must {
        Requirement::Finite => ("là số hữu hạn".to_owned(), "a finite number".to_owned()),
        Requirement::Weight => ("là số từ 0 đến 2^53".to_owned(), "a number from 0 to 2^53".to_owned()),
        Requirement::Probability | Requirement::JointProbability => (
            "lớn hơn 0 và không quá 1".to_owned(),
            "above 0 and at most 1".to_owned(),
        ),
        Requirement::AtLeast(sampled) => (
            format!("ít nhất {sampled}, là số đơn vị đã chọn trong tầng đó"),
            format!("at least {sampled}, the number of units sampled in that stratum"),
        ),
    }
}

impl Stage {
    fn read(entry: &StageEntry, data: &Data, faults: &mut Faults) -> Self {
        let name = |name: &toml::Spanned<String>| name.get_ref().clone();
        let codes = |column: &Option<toml::Spanned<String>>, faults: &mut Faults| {
            column.as_ref().map(|column| {
                let (labels, entries) = data.required_codes(column.get_ref(), faults);
                NamedCodes {
                    column: Named {
                        name: name(column),
                        entries,
                    },
                    labels,
                }
            })
        };
        let numbers = |column: &Option<toml::Spanned<String>>, faults: &mut Faults| {
            column.as_ref().map(|column| Named {
                name: name(column),
                entries: data.required_numbers(column.get_ref(), faults),
            })
        };
        Self {
            clusters: codes(&entry.cluster, faults),
            strata: codes(&entry.stratum, faults),
            population: numbers(&entry.population, faults),
            probability: numbers(&entry.probability, faults),
            mean_probability: numbers(&entry.mean_probability, faults),
            joint: entry
                .joint
                .as_ref()
                .map_or(JointMethod::Brewer, |joint| *joint.get_ref()),
            form: entry
                .form
                .as_ref()
                .map_or(PairForm::YatesGrundy, |form| *form.get_ref()),
        }
    }

    /// Each row a unit, drawn with replacement from all together.
    fn of_rows() -> Self {
        Self {
            clusters: None,
            strata: None,
            population: None,
            probability: None,
            mean_probability: None,
            joint: JointMethod::Brewer,
            form: PairForm::YatesGrundy,
        }
    }

    fn columns(&self) -> StageColumns<'_> {
        StageColumns {
            clusters: self.clusters.as_ref().map(|codes| codes.column.entries.as_slice()),
            strata: self.strata.as_ref().map(|codes| codes.column.entries.as_slice()),
            selection: match (&self.population, &self.probability) {
                (Some(population), _) => Selection::WithoutReplacement {
                    population: &population.entries,
                },
                (None, Some(inclusion)) => Selection::UnequalProbabilities {
                    inclusion: &inclusion.entries,
                    joint: self.joint(),
                },
                (None, None) => Selection::WithReplacement,
            },
        }
    }

    fn joint(&self) -> Joint<'_> {
        match self.joint {
            JointMethod::Brewer => Joint::Brewer,
            JointMethod::Overton => Joint::Overton(self.form),
            JointMethod::HartleyRao => Joint::HartleyRao {
                mean_probability: self.mean_probability.as_ref().map(|mean| mean.entries.as_slice()),
                form: self.form,
            },
        }
    }
}
