//! Khảo Sát's server and command line.
//!
//! | room | subject |
//! | --- | --- |
//! | [`app`] | the running server and how its routes are put together |
//! | [`sync`] | the change exchange: from a phone's bytes to the durable log |
//! | [`automerge_repo`] | responses shown live to tools that speak automerge-repo's protocol |
//! | [`estimates`] | from the log to live estimates, and what the console shows |
//! | [`devices`] | invitations, enrolment, who is asking |
//! | [`rounds`] | survey campaigns: form, frame, sample |
//! | [`duplicates`] | pairs of responses that may be about one household, and what officials found |
//! | [`units`], [`registry`] | reference data: administrative units, indicators |
//! | [`supervision`] | who is to do which unit, and what was found of interviews |
//! | [`official`] | figures that ministries and agencies supply |
//! | [`store`] | SQLite: one durable writer, many readers |
//! | `interfaces` | the files of the console and of the phone app, over HTTP |
//! | [`demo`] | simulated volunteers who work as real clients |
//! | [`cli`], [`config`] | commands and settings |

pub mod app;
mod attachments;
pub mod automerge_repo;
pub mod cli;
pub mod clock;
pub mod config;
pub mod demo;
pub mod devices;
pub mod duplicates;
pub mod estimates;
pub mod hex;
pub mod http;
pub mod hubs;
mod interfaces;
pub mod official;
mod paradata;
pub mod registry;
pub mod rounds;
pub mod settling;
pub mod store;
pub mod supervision;
pub mod sync;
pub mod table;
pub mod units;
