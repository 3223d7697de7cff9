//! evalgauge
pub mod call;
pub mod candidate;
pub mod check;
pub mod cli;
pub mod compare;
pub mod config;
pub mod evalset;
pub mod gate;
pub mod provider;
pub mod record;
pub mod report;
pub mod run;
pub mod score;
pub mod stats;
pub mod table;
