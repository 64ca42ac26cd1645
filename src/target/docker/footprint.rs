//! How many bytes images take together, with what they share counted once.
//!
//! The engine tells the size of an image with all of its layers, so ten images on one base would seem to take ten bases; what
//! is shared it tells only since API 1.42, and in sum. So layers are counted here: their digests are in the image, their sizes
//! in its history, where steps that made no layer stand too.

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash, Hasher};

use bollard::models::ImageHistoryResponseItem;

/// Instructions that make no layer.
const WITHOUT_LAYER: &str =
    "ARG CMD ENTRYPOINT ENV EXPOSE HEALTHCHECK LABEL MAINTAINER ONBUILD SHELL STOPSIGNAL USER VOLUME";

/// A layer of an image: what it is called, and its bytes.
pub type Layer = (String, u64);

/// The layers of an image, from the base up.
///
/// Where digests and history do not match, a layer goes by the steps that led to it: an estimate, which may count a base twice
/// that is shared with an image where they do match.
pub fn layers(digests: &[String], history: &[ImageHistoryResponseItem]) -> Vec<Layer> {
    let steps = || history.iter().rev();
    let made: Vec<u64> = steps().filter(|step| makes_layer(step)).map(size).collect();
    if made.len() == digests.len() {
        return digests.iter().cloned().zip(made).collect();
    }
    let mut chain = DefaultHasher::new();
    let named = steps().map(|step| {
        (step.created, &step.created_by, step.size).hash(&mut chain);
        (format!("{:016x}", chain.finish()), size(step))
    });
    named.filter(|(_, bytes)| *bytes > 0).collect()
}

/// The bytes of all images together.
pub fn total<'a>(images: impl IntoIterator<Item = &'a [Layer]>) -> u64 {
    let layers: BTreeMap<&str, u64> =
        images.into_iter().flatten().map(|(name, bytes)| (name.as_str(), *bytes)).collect();
    layers.values().sum()
}

/// Written as `/bin/sh -c #(nop)  ENV A=1` by the classic builder, as `ENV A=1` by `BuildKit`.
fn makes_layer(step: &ImageHistoryResponseItem) -> bool {
    let written = step.created_by.split_once("#(nop)").map_or(step.created_by.as_str(), |(_, written)| written);
    let instruction = written.split_whitespace().next().unwrap_or_default();
    step.size > 0 || !WITHOUT_LAYER.split(' ').any(|without| without == instruction)
}

fn size(step: &ImageHistoryResponseItem) -> u64 {
    u64::try_from(step.size).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A history, the newest step first, as the engine tells it.
    fn history(steps: &[(&str, i64)]) -> Vec<ImageHistoryResponseItem> {
        let step = |(created_by, size): &(&str, i64)| ImageHistoryResponseItem {
            id: "<missing>".to_owned(),
            created: 1,
            created_by: (*created_by).to_owned(),
            tags: Vec::new(),
            size: *size,
            comment: String::new(),
        };
        steps.iter().rev().map(step).collect()
    }

    fn digests(names: &[&str]) -> Vec<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    #[test]
    fn sizes_go_to_their_layers_past_the_steps_that_made_none() {
        let steps = [
            ("", 61),
            ("/bin/sh -c #(nop)  ARG X", 0),
            ("/bin/sh -c #(nop) WORKDIR /app", 0),
            ("|1 X=a /bin/sh -c make", 7),
            ("/bin/sh -c #(nop)  LABEL a=b", 0),
        ];
        let expected = [("base".to_owned(), 61), ("folder".to_owned(), 0), ("app".to_owned(), 7)];
        assert_eq!(layers(&digests(&["base", "folder", "app"]), &history(&steps)), expected);
    }

    #[test]
    fn what_images_share_counts_once() {
        let one = layers(&digests(&["base", "a"]), &history(&[("FROM", 61), ("RUN a", 7)]));
        let other = layers(&digests(&["base", "b"]), &history(&[("FROM", 61), ("RUN b", 9)]));
        assert_eq!(total([one.as_slice(), other.as_slice()]), 77);
        assert_eq!(total([other.as_slice()]), 70);
        assert_eq!(total([]), 0);
    }

    #[test]
    fn images_whose_history_does_not_match_share_what_they_began_with() {
        let one = layers(&[], &history(&[("FROM", 61), ("RUN a", 7)]));
        let other = layers(&[], &history(&[("FROM", 61), ("RUN b", 9)]));
        assert_eq!(total([one.as_slice(), other.as_slice()]), 77);
    }
}
