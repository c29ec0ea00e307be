//! `khaosat import`.

use std::path::PathBuf;

use clap::Subcommand;

use super::{Failure, read_file, table_failure};
use crate::config::Config;
use crate::estimates::Measures;
use crate::registry;
use crate::rounds;
use crate::store::{DataFolder, Store, StoreError};
use crate::units::{self, AdminUnit, UnitTree};

/// Replace reference data by a CSV file. Every wrong row is told before anything is changed.
#[derive(Debug, Subcommand)]
pub(super) enum Import {
    /// Đơn vị hành chính: administrative units (columns code, valid_from, valid_to, parent_code, level, kind, name)
    Units {
        /// The CSV file, UTF-8
        file: PathBuf,
    },
    /// Đơn vị kế thừa sau sắp xếp: which unit took over which at a reform
    Successions {
        /// The CSV file, UTF-8
        file: PathBuf,
    },
    /// Bộ chỉ tiêu: the indicator registry (see server/reference/README.md for its columns)
    Indicators {
        /// The CSV file, UTF-8
        file: PathBuf,
    },
}

pub(super) async fn run(import: Import, config: &Config) -> Result<(), Failure> {
    // A running server holds figures made with the data that this replaces.
    let folder = DataFolder::open(&config.data)?.lock()?;
    let store = Store::open(&folder.database()).await?;
    let rows = match import {
        Import::Units { file } => {
            let admin_units = units::read_units(&read_file(&file)?).map_err(|error| table_failure(&file, &error))?;
            check_units_against_rounds(&store, &admin_units)
                .await
                .map_err(|failure| failure.of_file(&file))?;
            let rows = admin_units.len();
            let job = store
                .writer
                .write(move |connection| Box::pin(async move { units::import_units(connection, &admin_units).await }));
            job.await?;
            rows
        }
        Import::Successions { file } => {
            let codes: Vec<String> = sqlx::query_scalar("SELECT code FROM admin_unit")
                .fetch_all(&store.readers)
                .await?;
            let codes = codes.into_iter().collect();
            let successions =
                units::read_successions(&read_file(&file)?, &codes).map_err(|error| table_failure(&file, &error))?;
            let rows = successions.len();
            let job = store.writer.write(move |connection| {
                Box::pin(async move { units::import_successions(connection, &successions).await })
            });
            job.await?;
            rows
        }
        Import::Indicators { file } => {
            let registry = registry::read(&read_file(&file)?).map_err(|error| table_failure(&file, &error))?;
            check_registry_against_rounds(&store, &registry)
                .await
                .map_err(|failure| failure.of_file(&file))?;
            let rows = registry.len();
            let job = store
                .writer
                .write(move |connection| Box::pin(async move { registry::import(connection, &registry).await }));
            job.await?;
            rows
        }
    };
    store.close().await;
    println!("Đã nhập {rows} dòng ({rows} rows imported).");
    Ok(())
}

/// The hamlets of the rounds that are there must keep their communes.
async fn check_units_against_rounds(store: &Store, units: &[AdminUnit]) -> Result<(), Failure> {
    for round in rounds::load(&store.readers).await? {
        let hamlets: Vec<(String, String)> =
            sqlx::query_as("SELECT code, commune_code FROM frame_hamlet WHERE round_key = $1 ORDER BY code")
                .bind(round.key)
                .fetch_all(&store.readers)
                .await?;
        let on = round
            .units_on
            .parse()
            .map_err(|error: jiff::Error| StoreError::Damaged {
                table: "round",
                reason: error.to_string(),
            })?;
        let tree = UnitTree::of(units, &round.root_code, on);
        let hamlets = hamlets
            .iter()
            .map(|(hamlet, commune)| (hamlet.as_str(), commune.as_str()));
        rounds::check_communes(&tree, &round.root_code, &round.units_on, hamlets)?;
    }
    Ok(())
}

/// The expressions must fit the forms of the rounds that are there.
async fn check_registry_against_rounds(store: &Store, registry: &[registry::Indicator]) -> Result<(), Failure> {
    for round in rounds::load(&store.readers).await? {
        let Some(workbook) = rounds::workbook(&store.readers, &round.form_hash).await? else {
            continue;
        };
        let form = survey_forms::xlsform::read(&workbook)
            .map_err(|errors| Failure::new(errors.vietnamese(), errors.to_string()))?;
        Measures::compile(form, registry).map_err(|error| Failure::new(error.vietnamese(), error.to_string()))?;
    }
    Ok(())
}
