//! The functions of the language, each kind in a file of its own: of samples in a window of time, of single values, of
//! dates, and of labels. Those of histograms have a file beside this folder.

pub(super) mod dates;
pub(super) mod elements;
pub(super) mod ranges;
pub(super) mod relabel;
