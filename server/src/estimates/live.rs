//! The sums from which every estimate is computed, in memory and always current.

use std::collections::{BTreeMap, BTreeSet};

use indicators::bounds::{BoundedEstimate, bounded_ratio};
use indicators::design::{Design, DesignError, Domain, Psu, Sample, Stratum};
use indicators::estimators::{Estimate, Indicator as Estimand, LiveEstimates, Measure, Settings, ratio};
use indicators::summary::PsuSummary;
use tokio::sync::RwLock;

use super::history::Earlier;
use super::importance::{LiveImportance, view};
use super::suspects::{OpenResponses, Suspects};
use super::{EstimatesError, Listing, Measures, Reduced};
use crate::registry::{self, Indicator};
use crate::rounds::{self, Round};
use crate::store::{Store, StoreError};
use crate::units::{Level, Node, UnitTree};

/// The current figures of every round.
#[derive(Default)]
pub struct Live {
    rounds: RwLock<Vec<LiveRound>>,
}

/// The current figures of one round.
pub struct LiveRound {
    /// The round.
    pub round: Round,
    /// The registry.
    pub registry: Vec<Indicator>,
    /// Which of it the round measures, and how.
    pub measures: std::sync::Arc<Measures>,
    /// The units with the frame's hamlets as leaves.
    pub tree: UnitTree,
    /// Up to where in the log the figures go.
    pub sequence: i64,
    /// When the last change came, in milliseconds since 1970-01-01T00:00:00Z.
    pub last_received_at: Option<i64>,
    /// The sums, with the hamlets of each node of the tree as a domain.
    figures: LiveEstimates,
    hamlets: Vec<LiveHamlet>,
    /// The node of each hamlet.
    hamlet_nodes: Vec<usize>,
    by_key: BTreeMap<i64, usize>,
    /// By hamlet, the responses with conflicts that touch an indicator, by their numbers in the database.
    conflicted: Vec<BTreeMap<i64, Reduced>>,
    suspects: Suspects,
    /// The hamlets of which it was told that a response cannot be counted: a frame whose count is too small would otherwise
    /// fill the log.
    told: BTreeSet<usize>,
}

/// One hamlet's counts.
#[derive(Debug, Clone, Copy, Default)]
pub struct LiveHamlet {
    /// Households of the frame, with the added ones that count.
    pub households: u64,
    /// Households to be surveyed, with the added ones that count.
    pub expected: u64,
    /// Responses, of whatever outcome, of households to be surveyed.
    pub received: u64,
    /// Households that were added in the field and count.
    pub added: u64,
    /// Households that were added in the field and do not count.
    pub added_uncounted: u64,
    /// Open conflicts.
    pub open_conflicts: u64,
    /// Responses with open conflicts.
    pub conflicted_responses: u64,
}

/// The change of one response's contribution.
#[derive(Debug)]
pub struct Change {
    /// The database's number of the response.
    pub response_key: i64,
    /// The database's number of its hamlet.
    pub hamlet_key: i64,
    /// What it contributed before; none for a new response.
    pub before: Option<Reduced>,
    /// What it contributes now.
    pub after: Reduced,
}

impl Live {
    /// Loads every round with what was projected so far.
    ///
    /// # Errors
    /// [`EstimatesError`] when a round's form, registry or frame does not fit.
    pub async fn load(store: &Store) -> Result<Self, EstimatesError> {
        let mut loaded = Vec::new();
        for round in rounds::load(&store.readers).await? {
            loaded.push(LiveRound::load(store, round).await?);
        }
        Ok(Self {
            rounds: RwLock::new(loaded),
        })
    }

    /// The rounds, to be read.
    pub async fn read(&self) -> tokio::sync::RwLockReadGuard<'_, Vec<LiveRound>> {
        self.rounds.read().await
    }

    /// The rounds, to be changed.
    pub(super) async fn write(&self) -> tokio::sync::RwLockWriteGuard<'_, Vec<LiveRound>> {
        self.rounds.write().await
    }
}

impl LiveRound {
    pub(super) async fn load(store: &Store, round: Round) -> Result<Self, EstimatesError> {
        let registry = registry::load(&store.readers).await?;
        let workbook = rounds::workbook(&store.readers, &round.form_hash)
            .await?
            .ok_or_else(|| EstimatesError::Form("it is missing".to_owned()))?;
        let form = survey_forms::xlsform::read(&workbook).map_err(|error| EstimatesError::Form(error.to_string()))?;
        let measures = std::sync::Arc::new(Measures::compile(form, &registry)?);

        let mut tree = UnitTree::load(&store.readers, &round.root_code, &round.units_on).await?;
        type Row = (i64, String, String, String, String, String, i64, i64);
        let rows: Vec<Row> = sqlx::query_as(
            "SELECT hamlet_key, code, name, kind, commune_code, stratum, households,
                 (SELECT COUNT(*) FROM sampled_unit WHERE sampled_unit.hamlet_key = frame_hamlet.hamlet_key AND NOT added)
             FROM frame_hamlet WHERE round_key = $1 ORDER BY code",
        )
        .bind(round.key)
        .fetch_all(&store.readers)
        .await
        .map_err(StoreError::from)?;

        let mut strata: BTreeMap<String, usize> = BTreeMap::new();
        let mut stratum_sizes: Vec<u64> = Vec::new();
        let (mut psus, mut hamlets, mut nodes, mut by_key) = (Vec::new(), Vec::new(), Vec::new(), BTreeMap::new());
        for (key, code, name, kind, commune, stratum, households, expected) in rows {
            let stratum = *strata.entry(stratum).or_insert_with(|| {
                stratum_sizes.push(0);
                stratum_sizes.len() - 1
            });
            if let Some(size) = stratum_sizes.get_mut(stratum) {
                *size += 1;
            }
            let households = households.unsigned_abs();
            psus.push(Psu { stratum, households });
            by_key.insert(key, hamlets.len());
            hamlets.push(LiveHamlet {
                households,
                expected: expected.unsigned_abs(),
                ..LiveHamlet::default()
            });
            let parent = tree.find(&commune);
            nodes.push(tree.add(parent, &code, Level::Hamlet, &kind, &name));
        }
        let design = Design::new(stratum_sizes.into_iter().map(|psus| Stratum { psus }).collect(), psus)?;
        let domains = domains(&tree, &design, &nodes)?;
        let summaries = vec![PsuSummary::new(measures.len()); hamlets.len()];
        let conflicted = vec![BTreeMap::new(); hamlets.len()];
        let suspects = Suspects::load(store, round.key).await?;
        let mut live = Self {
            round,
            registry,
            measures,
            tree,
            sequence: 0,
            last_received_at: None,
            figures: LiveEstimates::new(design, domains, summaries, Settings::default())?,
            hamlets,
            hamlet_nodes: nodes,
            by_key,
            conflicted,
            suspects,
            told: BTreeSet::new(),
        };
        live.restore(store).await?;
        Ok(live)
    }

    /// Takes in what was projected before the server stopped.
    async fn restore(&mut self, store: &Store) -> Result<(), StoreError> {
        let progress: Option<i64> = sqlx::query_scalar("SELECT seq FROM projection_progress WHERE round_key = $1")
            .bind(self.round.key)
            .fetch_optional(&store.readers)
            .await?;
        self.sequence = progress.unwrap_or(0);
        self.last_received_at = sqlx::query_scalar("SELECT received_at FROM change_log ORDER BY seq DESC LIMIT 1")
            .fetch_optional(&store.readers)
            .await?;
        let mut last = 0;
        loop {
            let rows: Vec<(i64, i64, Vec<u8>)> = sqlx::query_as(
                "SELECT response_key, hamlet_key, reduced FROM projection
                 WHERE round_key = $1 AND response_key > $2 ORDER BY response_key LIMIT 10000",
            )
            .bind(self.round.key)
            .bind(last)
            .fetch_all(&store.readers)
            .await?;
            let Some((key, _, _)) = rows.last() else { return Ok(()) };
            last = *key;
            for (response_key, hamlet_key, reduced) in rows {
                let after = Reduced::from_bytes(&reduced)?;
                self.apply(Change {
                    response_key,
                    hamlet_key,
                    before: None,
                    after,
                });
            }
        }
    }

    /// Counts a changed response, in constant time.
    pub fn apply(&mut self, change: Change) {
        let Change {
            response_key,
            hamlet_key,
            before,
            after,
        } = change;
        let Some(place) = self.by_key.get(&hamlet_key).copied() else {
            return;
        };
        if before.is_none() && !self.add_household(place, response_key, after.listing) {
            return;
        }
        let contributions = |reduced: &Reduced| self.suspects.contributions(response_key, reduced);
        let was = before.as_ref().and_then(contributions);
        let is = contributions(&after);
        if let Err(error) = self.figures.apply(place, was.as_deref(), is.as_deref()) {
            // An expression gave a number that no sum can take, such as infinity, or the frame has fewer households than
            // responded: the response counts as none.
            if self.told.insert(place) {
                tracing::warn!(response_key, %error, "a response cannot be counted; further ones of its hamlet are not told");
            }
            return;
        }
        let parts = (self.hamlets.get_mut(place), self.conflicted.get_mut(place));
        let (Some(hamlet), Some(conflicted)) = parts else {
            return;
        };
        match before {
            None => hamlet.received += u64::from(after.listing != Listing::AddedUncounted),
            Some(before) => {
                hamlet.open_conflicts -= u64::from(before.conflicts);
                hamlet.conflicted_responses -= u64::from(before.conflicts > 0);
            }
        }
        hamlet.open_conflicts += u64::from(after.conflicts);
        hamlet.conflicted_responses += u64::from(after.conflicts > 0);
        self.suspects.learn(response_key, place, &after);
        if after.possible.is_empty() {
            conflicted.remove(&response_key);
        } else {
            conflicted.insert(response_key, after);
        }
    }

    /// Takes note that a response of this hamlet came of which there was none before, and says whether it can be counted. A
    /// household that was added in the field and counts makes its hamlet larger.
    fn add_household(&mut self, place: usize, response_key: i64, listing: Listing) -> bool {
        let Some(hamlet) = self.hamlets.get_mut(place) else {
            return false;
        };
        match listing {
            Listing::Listed => {}
            Listing::AddedUncounted => hamlet.added_uncounted += 1,
            Listing::Added => {
                if let Err(error) = self.figures.set_households(place, hamlet.households + 1) {
                    tracing::warn!(response_key, %error, "an added household cannot be counted");
                    return false;
                }
                hamlet.households += 1;
                hamlet.expected += 1;
                hamlet.added += 1;
            }
        }
        true
    }

    /// The number of a measured indicator, counted from 0, by its position in the registry.
    pub fn measured(&self, position: usize) -> Option<usize> {
        let mut measured = self.measures.registry_positions.iter();
        measured.position(|measured| *measured == position)
    }

    /// The estimate of a measured indicator for a node of the tree, with the bounds that open conflicts leave.
    ///
    /// `measured` counts the measured indicators from 0. None where the two do not exist or do not fit.
    pub fn estimate(&self, node: usize, measured: usize) -> Option<BoundedEstimate> {
        let domain = self.figures.domain(node)?;
        let open = self.open_responses(domain, measured);
        if open.unsettled.households.is_empty() && open.unsettled.groups.is_empty() {
            return self.direct_estimate(node, measured).map(BoundedEstimate::settled);
        }
        let sample = Sample::new(self.figures.design(), self.figures.summaries()).ok()?;
        bounded_ratio(
            &sample,
            domain,
            estimand(measured),
            &Settings::default(),
            &open.unsettled,
        )
        .ok()
    }

    /// The same from the values counted now, without bounds and in constant time.
    pub(super) fn direct_estimate(&self, node: usize, measured: usize) -> Option<Estimate> {
        self.figures.estimate(node, estimand(measured)).ok()?
    }

    /// The same from sums that some hamlets had earlier, by their numbers in the database. None also where those are sums of
    /// another registry.
    pub(super) fn earlier_estimate(
        &self,
        node: usize,
        measured: usize,
        earlier: &BTreeMap<i64, Earlier>,
    ) -> Option<Estimate> {
        let mut summaries = self.figures.summaries().to_vec();
        let mut design = self.figures.design().clone();
        for (hamlet_key, earlier) in earlier {
            let Some(place) = self.by_key.get(hamlet_key).copied() else {
                continue;
            };
            if let (Some(present), Some(hamlet)) = (summaries.get_mut(place), self.hamlets.get(place)) {
                present.clone_from(&earlier.summary);
                // Households that were added since were not known then.
                let since = hamlet.added.saturating_sub(earlier.added);
                design.set_households(place, hamlet.households - since).ok()?;
            }
        }
        let sample = Sample::new(&design, &summaries).ok()?;
        ratio(
            &sample,
            self.figures.domain(node)?,
            estimand(measured),
            &Settings::default(),
        )
        .ok()
    }

    /// What is open about an estimate, in the order in which to settle it for the decision on the indicator's target, as
    /// [`indicators::bounds::importance`]. Publication rules are for the caller to apply.
    ///
    /// `measured` counts the measured indicators from 0. None where the two do not exist or do not fit.
    pub fn importance(&self, node: usize, measured: usize) -> Option<LiveImportance> {
        let domain = self.figures.domain(node)?;
        let target = &self
            .registry
            .get(*self.measures.registry_positions.get(measured)?)?
            .target;
        let sample = Sample::new(self.figures.design(), self.figures.summaries()).ok()?;
        let open = self.open_responses(domain, measured);
        let settings = Settings::default();
        let importance =
            indicators::bounds::importance(&sample, domain, estimand(measured), &settings, &open.unsettled, target)
                .ok()?;
        let hamlet = |psu: usize| {
            let node = self.hamlet_nodes.get(psu)?;
            Some(self.tree.nodes().get(*node)?.code.clone())
        };
        Some(view(importance, &open, self.bounds_exact(node), hamlet))
    }

    fn open_responses(&self, domain: &Domain, measured: usize) -> OpenResponses<'_> {
        let is_sampled = |psu| self.has_respondents(psu);
        self.suspects
            .open_responses(domain.members(), self.conflicted_in(domain), is_sampled, measured)
    }

    fn has_respondents(&self, psu: usize) -> bool {
        self.figures
            .summaries()
            .get(psu)
            .is_some_and(|summary| summary.households() > 0)
    }

    /// The conflicted responses of a domain, each with its hamlet's place.
    fn conflicted_in(&self, domain: &Domain) -> impl Iterator<Item = (usize, i64, &Reduced)> {
        domain.members().iter().flat_map(|psu| {
            let responses = self.conflicted.get(*psu).into_iter().flatten();
            responses.map(|(key, reduced)| (*psu, *key, reduced))
        })
    }

    /// How many open pairs of suspected duplicates have a response in a node.
    pub fn suspected_duplicates(&self, node: usize) -> u64 {
        self.figures
            .domain(node)
            .map_or(0, |domain| self.suspects.open_in(domain.members()))
    }

    /// How often the pairs of suspected duplicates had changed when they were read.
    pub(super) fn duplicates_revision(&self) -> i64 {
        self.suspects.revision
    }

    /// Counts by other pairs of suspected duplicates from now on. `projected` has their responses as they are counted here,
    /// and those of the pairs before, each with the database's number of its hamlet.
    pub(super) fn take_duplicates(&mut self, mut suspects: Suspects, projected: &BTreeMap<i64, (i64, Reduced)>) {
        for (response_key, (hamlet_key, reduced)) in projected {
            let Some(place) = self.by_key.get(hamlet_key).copied() else {
                continue;
            };
            let was = self.suspects.contributions(*response_key, reduced);
            let is = suspects.contributions(*response_key, reduced);
            if was != is
                && let Err(error) = self.figures.apply(place, was.as_deref(), is.as_deref())
            {
                // As where it came: a number that no sum can take counts as none.
                tracing::warn!(response_key, %error, "a suspected duplicate cannot be counted");
            }
            suspects.learn(*response_key, place, reduced);
        }
        self.suspects = suspects;
    }

    /// The responses of the pairs that are counted by here, and of others.
    pub(super) fn responses_of_duplicates(&self, others: &Suspects) -> Vec<i64> {
        self.suspects.wanted().union(others.wanted()).copied().collect()
    }

    /// Whether the bounds of a node's estimates are exact.
    pub fn bounds_exact(&self, node: usize) -> bool {
        self.figures.domain(node).is_none_or(|domain| {
            // What a hamlet would weigh in which nobody has responded yet is not known.
            let is_exact = |(psu, _, reduced): (usize, i64, &Reduced)| reduced.exact && self.has_respondents(psu);
            self.conflicted_in(domain).all(is_exact) && self.suspects.is_exact_in(domain.members())
        })
    }

    /// The hamlets of a node: their counts and how many households responded.
    pub fn hamlets(&self, node: usize) -> impl Iterator<Item = (LiveHamlet, u64)> {
        let members = self.figures.domain(node).map(Domain::members).unwrap_or_default();
        members.iter().filter_map(|place| {
            Some((
                *self.hamlets.get(*place)?,
                self.figures.summaries().get(*place).map_or(0, PsuSummary::households),
            ))
        })
    }

    /// The hamlets of a node with their own nodes.
    pub(super) fn hamlet_nodes(&self, node: usize) -> impl Iterator<Item = (&Node, LiveHamlet)> {
        let members = self.figures.domain(node).map(Domain::members).unwrap_or_default();
        members.iter().filter_map(|place| {
            let node = self.tree.nodes().get(*self.hamlet_nodes.get(*place)?)?;
            Some((node, *self.hamlets.get(*place)?))
        })
    }

    /// The sums of the hamlet with this number in the database, and how many added households are counted there.
    pub(super) fn summary(&self, hamlet_key: i64) -> Option<(&PsuSummary, u64)> {
        let place = *self.by_key.get(&hamlet_key)?;
        Some((self.figures.summaries().get(place)?, self.hamlets.get(place)?.added))
    }

    /// The sums of each hamlet, in the order of the hamlets' codes.
    pub fn summaries(&self) -> &[PsuSummary] {
        self.figures.summaries()
    }
}

/// Every indicator of the plan is a share.
fn estimand(measured: usize) -> Estimand {
    Estimand {
        index: measured,
        measure: Measure::Proportion,
    }
}

fn domains(tree: &UnitTree, design: &Design, hamlet_nodes: &[usize]) -> Result<Vec<Domain>, DesignError> {
    let parents: Vec<Option<usize>> = tree.nodes().iter().map(|node| node.parent).collect();
    Ok(indicators::design::UnitTree::new(design, &parents, hamlet_nodes, None)?
        .domains()
        .to_vec())
}
