//! evalgauge
pub mod cli;
pub mod compare;
pub mod evalset;
pub mod gate;
pub mod report;
pub mod stats;
pub mod table;
