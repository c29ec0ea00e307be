//! Modelled estimates of areas with few interviews or none, as the design asks for them.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use indicators::intervals::{ConfidenceLevel, IntervalMethod, normal_quantile};
use indicators::linear_algebra::{LinearAlgebraError, Matrix};
use indicators::small_areas::{
    AreaEstimate, AreaInterviews, AreaModel, DirectEstimate, SmallAreaError, benchmark, fit, smoothed_variances,
};
use indicators::survey::{EstimateAbsences, SurveyEstimate, Undefined};

use super::Fault;
use super::design::{Design, SmallAreasEntry, Smoothing};
use super::grouping::Grouping;
use super::registry::Kind;
use super::report::{CoefficientView, EstimateView, FitView, MissingView, ModelView, ModelledView, Report};
use crate::cli::{Failure, read_file, table_failure};
use crate::http::Text;
use crate::table::{Faults, Table, TableError};

/// What the constant among the covariates is called.
const INTERCEPT: &str = "intercept";

/// The areas of the population with what is known of them all.
pub(super) struct Areas<'a> {
    entry: &'a SmallAreasEntry,
    level: ConfidenceLevel,
    names: Vec<String>,
    /// The place of each name.
    places: BTreeMap<String, usize>,
    /// Names of the covariates, the constant first.
    terms: Vec<String>,
    covariates: Matrix,
    /// Each area's share of the whole, for agreement with it.
    shares: Option<Vec<f64>>,
}

impl<'a> Areas<'a> {
    /// Reads the file of areas; `None` where the design asks for no model.
    ///
    /// # Errors
    /// A [`Fault`]: keys that contradict one another, a cell of the file that is wrong, an area of the data that the file
    /// lacks.
    pub(super) fn read(design: &'a Design, design_file: &Path, groupings: &[Grouping]) -> Result<Option<Self>, Fault> {
        let Some(entry) = &design.entries.small_areas else {
            return Ok(None);
        };
        let column = entry.column.get_ref();
        let Some(grouping) = groupings.iter().find(|grouping| grouping.columns == [column.as_str()]) else {
            let problem = Text::new(
                format!("cần --by {column} để có ước lượng của từng khu vực"),
                format!("--by {column} is needed, so that there are estimates of the areas"),
            );
            return Err(Fault::Design(design.failure(&entry.column, &problem)));
        };
        if let (Some(benchmark), None) = (&entry.benchmark, &entry.population) {
            let problem = Text::new(
                "benchmark cần population: cột dân số của từng khu vực",
                "benchmark needs population: the column with each area's part of the whole",
            );
            return Err(Fault::Design(design.failure(benchmark, &problem)));
        }
        let file = design_file.with_file_name(entry.file.get_ref());
        let bytes = read_file(&file).map_err(Fault::Other)?;
        let areas = Self::of_table(entry, design.level, &bytes);
        let areas = areas.map_err(|error| Fault::Other(table_failure(&file, &error)))?;
        let lacking = grouping
            .labels
            .iter()
            .flatten()
            .filter(|label| !areas.places.contains_key(*label));
        let lacking: Vec<&str> = lacking.map(String::as_str).collect();
        if !lacking.is_empty() {
            let lacking = lacking.join(", ");
            let problem = Failure::new(
                format!("thiếu các khu vực có trong dữ liệu: {lacking}"),
                format!("areas of the data are missing: {lacking}"),
            );
            return Err(Fault::Other(problem.of_file(&file)));
        }
        Ok(Some(areas))
    }

    fn of_table(entry: &'a SmallAreasEntry, level: ConfidenceLevel, bytes: &[u8]) -> Result<Self, TableError> {
        let area_column = entry.area.as_deref().unwrap_or(entry.column.get_ref());
        let covariates = entry.covariates.iter().map(String::as_str);
        let population = entry.population.as_ref().map(|column| column.get_ref().as_str());
        let needed: Vec<&str> = [area_column]
            .into_iter()
            .chain(covariates.clone())
            .chain(population)
            .collect();
        let table = Table::read(bytes, &needed)?;
        let mut faults = Faults::default();
        let (mut names, mut values, mut shares) = (Vec::new(), Vec::new(), Vec::new());
        let mut known = BTreeSet::new();
        for (line, cells) in table.rows() {
            let name = cells.required(area_column, &mut faults);
            if !known.insert(name.clone()) {
                faults.repeated(line, area_column, ("khu vực", "area"), &name);
            }
            names.push(name);
            let mut number = |column: &str| {
                let number: Option<f64> = cells.parse(column, &mut faults, "một số", "a number");
                if number.is_some_and(|number| !number.is_finite()) {
                    let problem = Text::new("phải là số hữu hạn", "the number must be finite");
                    faults.cell(line, column, problem);
                }
                number.filter(|number| number.is_finite()).unwrap_or(0.0)
            };
            values.push(1.0);
            values.extend(covariates.clone().map(&mut number));
            if let Some(population) = population {
                shares.push(number(population));
            }
        }
        let terms: Vec<String> = [INTERCEPT].into_iter().chain(covariates).map(str::to_owned).collect();
        let matrix = Matrix::new(names.len(), terms.len(), values);
        let matrix = matrix.map_err(|error| TableError::of(Text::new(error.vietnamese(), error.to_string())))?;
        faults.or(Self {
            entry,
            level,
            places: names.iter().cloned().zip(0..).collect(),
            names,
            terms,
            covariates: matrix,
            shares: population.map(|_| shares),
        })
    }

    /// Puts modelled estimates beside the direct ones of the areas, with a row for each area without interviews.
    ///
    /// Means, ratios and proportions are modelled. Where that cannot be done for one of them, the report says why.
    pub(super) fn model(&self, report: &mut Report) {
        let column = self.entry.column.get_ref();
        let is_area = |view: &EstimateView| view.domain.len() == 1 && view.domain.contains_key(column);
        let mut estimates: Vec<EstimateView> = Vec::with_capacity(report.estimates.len());
        let mut rest = std::mem::take(&mut report.estimates).into_iter().peekable();
        while let Some(first) = rest.next() {
            // All of one indicator stand together, everybody first.
            let mut views = vec![first];
            while let Some(next) = rest.next_if(|next| next.code == views[0].code) {
                views.push(next);
            }
            if matches!(views[0].kind, Kind::Mean | Kind::Ratio | Kind::Proportion) {
                let direct: BTreeMap<String, SurveyEstimate> = views
                    .iter()
                    .filter(|view| is_area(view))
                    .map(|view| (view.domain[column].clone(), view.estimate.clone()))
                    .collect();
                let modelled = self.model_one(views[0].kind, &views[0].estimate, &direct);
                let fitted = modelled.as_ref().ok().map(|modelled| &modelled.areas);
                let of_area = |name: &str| {
                    let place = *self.places.get(name)?;
                    fitted.and_then(|areas| areas.get(place).cloned().flatten())
                };
                for view in views.iter_mut().filter(|view| is_area(view)) {
                    view.modelled = of_area(&view.domain[column]);
                }
                let last = views.iter().rposition(&is_area).map_or(views.len(), |place| place + 1);
                let unvisited = self.names.iter().filter(|name| !direct.contains_key(*name));
                let unvisited: Vec<EstimateView> = unvisited
                    .filter_map(|name| Some(self.unvisited(&views[0], name, of_area(name)?)))
                    .collect();
                report.models.push(ModelView {
                    code: views[0].code.clone(),
                    column: column.clone(),
                    absent: modelled.as_ref().err().cloned(),
                    fit: modelled.ok().map(|modelled| modelled.fit),
                });
                views.splice(last..last, unvisited);
            }
            estimates.append(&mut views);
        }
        report.estimates = estimates;
    }

    /// The estimate of an area that nobody was interviewed in.
    fn unvisited(&self, whole: &EstimateView, name: &str, modelled: ModelledView) -> EstimateView {
        let absent = Some(Undefined::EmptyDomain);
        EstimateView {
            code: whole.code.clone(),
            name: whole.name.clone(),
            kind: whole.kind,
            domain: [(self.entry.column.get_ref().clone(), name.to_owned())].into(),
            estimate: SurveyEstimate {
                point: None,
                standard_error: None,
                interval: None,
                choice: None,
                design_effect: None,
                design_effect_with_replacement: None,
                degrees_of_freedom: 0,
                rows: 0,
                population: 0.0,
                absences: EstimateAbsences {
                    point: absent,
                    standard_error: absent,
                    interval: absent,
                    design_effect: absent,
                },
            },
            respondents: 0,
            missing: MissingView::default(),
            imputation: None,
            target: None,
            modelled: Some(modelled),
            withheld: None,
        }
    }

    fn model_one(
        &self,
        kind: Kind,
        whole: &SurveyEstimate,
        direct: &BTreeMap<String, SurveyEstimate>,
    ) -> Result<Modelled, Text> {
        let estimates: Vec<Option<&SurveyEstimate>> = self.names.iter().map(|name| direct.get(name)).collect();
        // Where everybody was asked, there is nothing to model.
        let is_known = |estimate: &SurveyEstimate| {
            estimate
                .interval
                .is_some_and(|interval| interval.method == IntervalMethod::Census)
        };
        let known: Vec<bool> = estimates.iter().map(|area| area.is_some_and(is_known)).collect();
        let sampled: Vec<Option<&SurveyEstimate>> = estimates
            .iter()
            .zip(&known)
            .map(|(estimate, known)| estimate.filter(|_| !known))
            .collect();
        let smooth = self.entry.smoothing == Smoothing::DesignEffect && kind == Kind::Proportion;
        let (variances, design_effect) = match smooth {
            true => smoothed(&sampled, whole).map_err(|error| self.told(&error))?,
            false => (sampled.iter().map(|area| own_variance((*area)?)).collect(), None),
        };
        let points: Vec<Option<DirectEstimate>> = sampled
            .iter()
            .zip(&variances)
            .map(|(estimate, variance)| {
                Some(DirectEstimate {
                    estimate: (*estimate)?.point?,
                    sampling_variance: (*variance)?,
                })
            })
            .collect();
        let model = fit(&points, &self.covariates, self.entry.method).map_err(|error| self.told(&error))?;
        let agreed = self.agree(&model, whole, &estimates, &known)?;
        let z = normal_quantile(1.0 - self.level.tail()).map_err(|error| {
            // A level between 0 and 1 has a quantile.
            Text::new(error.vietnamese(), error.to_string())
        })?;
        let areas = model.areas.iter().zip(&agreed).zip(&known);
        let areas = areas
            .map(|((area, agreed), known)| (!known).then(|| view(area, *agreed, z, smooth)))
            .collect();
        Ok(Modelled {
            areas,
            fit: self.fit_view(&model, design_effect),
        })
    }

    /// The areas' estimates in agreement with the direct estimate of the whole; none where that is not asked for.
    fn agree(
        &self,
        model: &AreaModel,
        whole: &SurveyEstimate,
        estimates: &[Option<&SurveyEstimate>],
        known: &[bool],
    ) -> Result<Vec<Option<f64>>, Text> {
        let (Some(method), Some(shares)) = (&self.entry.benchmark, &self.shares) else {
            return Ok(vec![None; model.areas.len()]);
        };
        let Some(whole) = whole.point else {
            return Err(Text::new(
                "toàn bộ không có ước lượng để các khu vực khớp với",
                "there is no estimate of the whole for the areas to agree with",
            ));
        };
        // Areas that are known keep their figures; the others make up the rest.
        let total: f64 = shares.iter().sum();
        let settled = shares.iter().zip(estimates).zip(known).filter(|(_, known)| **known);
        let (settled_share, settled_sum) = settled.fold((0.0, 0.0), |(share, sum), ((own, estimate), _)| {
            let point = estimate.and_then(|estimate| estimate.point).unwrap_or(0.0);
            (share + own, sum + own * point)
        });
        let left: Vec<f64> = shares
            .iter()
            .zip(known)
            .map(|(share, known)| if *known { 0.0 } else { *share })
            .collect();
        let rest = (whole * total - settled_sum) / (total - settled_share);
        let agreed = benchmark(model, &left, rest, *method.get_ref()).map_err(|error| self.told(&error))?;
        Ok(agreed.into_iter().map(Some).collect())
    }

    fn fit_view(&self, model: &AreaModel, design_effect: Option<f64>) -> FitView {
        let coefficients = self.terms.iter().zip(&model.coefficients);
        FitView {
            method: model.method,
            between_area_variance: model.between_area_variance,
            between_area_variance_error: model.between_area_variance_error,
            coefficients: coefficients
                .map(|(term, coefficient)| CoefficientView {
                    term: term.clone(),
                    value: coefficient.value,
                    standard_error: coefficient.standard_error,
                })
                .collect(),
            smoothing_design_effect: design_effect,
            benchmark: self.entry.benchmark.as_ref().map(|benchmark| *benchmark.get_ref()),
            diagnostics: model.diagnostics,
        }
    }

    /// What to say of an error, with names in place of numbers.
    fn told(&self, error: &SmallAreaError) -> Text {
        let name = |area: &usize| self.names.get(*area).map_or("", String::as_str);
        match error {
            SmallAreaError::DependentCovariate { column }
            | SmallAreaError::Covariates(LinearAlgebraError::Singular { column }) => {
                let term = self.terms.get(*column).map_or("", String::as_str);
                Text::new(
                    format!(
                        "biến bổ trợ {term} phụ thuộc tuyến tính vào các biến trước nó, hoặc bằng không, \
                         ở các khu vực có ước lượng trực tiếp; hãy bỏ biến này"
                    ),
                    format!(
                        "covariate {term} depends linearly on those before it, or is zero, in the areas with direct \
                         estimates; leave it out"
                    ),
                )
            }
            SmallAreaError::BenchmarkWeight { area, given } => Text::new(
                format!(
                    "population của {} là {given}; không được âm, và phải có ít nhất một số lớn hơn 0",
                    name(area)
                ),
                format!(
                    "the population of {} is {given}; it must not be negative, and one must be above 0",
                    name(area)
                ),
            ),
            // Every area is expected to have the proportion of everybody.
            SmallAreaError::ExpectedProportion { given, .. } => Text::new(
                format!(
                    "tỷ lệ của toàn bộ là {given} nên không làm trơn được phương sai; hãy dùng smoothing = \"none\""
                ),
                format!(
                    "the proportion of everybody is {given}, so that no variance can be smoothed; use smoothing = \"none\""
                ),
            ),
            other => Text::new(other.vietnamese(), other.to_string()),
        }
    }
}

/// A model with what it says of each area; nothing of those that everybody was asked in.
struct Modelled {
    fit: FitView,
    areas: Vec<Option<ModelledView>>,
}

/// ψ̂, where it is known and above 0.
fn own_variance(estimate: &SurveyEstimate) -> Option<f64> {
    let variance = estimate.standard_error.map(|error| error * error)?;
    (variance > 0.0).then_some(variance)
}

/// Smoothed variances with the design effect that they were made with.
type Smoothed = (Vec<Option<f64>>, Option<f64>);

/// Variances by one design effect, each area expected to have the proportion of the whole.
fn smoothed(areas: &[Option<&SurveyEstimate>], whole: &SurveyEstimate) -> Result<Smoothed, SmallAreaError> {
    let interviews: Vec<Option<AreaInterviews>> = areas
        .iter()
        .map(|estimate| {
            let estimate = estimate.filter(|estimate| estimate.point.is_some())?;
            Some(AreaInterviews {
                respondents: estimate.rows,
                sampling_variance: estimate.standard_error.map(|error| error * error),
                expected_proportion: whole.point.unwrap_or(0.0),
            })
        })
        .collect();
    let smoothed = smoothed_variances(&interviews)?;
    Ok((smoothed.variances, Some(smoothed.design_effect)))
}

fn view(area: &AreaEstimate, agreed: Option<f64>, z: f64, smoothed: bool) -> ModelledView {
    let estimate = agreed.unwrap_or(area.estimate);
    let error = area.mean_squared_error.sqrt();
    ModelledView {
        source: area.source,
        estimate,
        root_mean_squared_error: error,
        lower: estimate - z * error,
        upper: estimate + z * error,
        direct_weight: Some(area.direct_weight),
        synthetic: Some(area.synthetic),
        before_benchmark: agreed.map(|_| area.estimate),
        sampling_variance: area.direct.map(|direct| direct.sampling_variance),
        is_variance_smoothed: smoothed && area.direct.is_some(),
        standardised_residual: area.standardised_residual,
    }
}
