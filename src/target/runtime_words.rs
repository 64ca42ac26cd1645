//! What a container runtime says of a container that it cannot start. Docker Engine and Kubernetes pass it on through layers,
//! each of which puts its own words before and behind it.

/// The layers, outermost first.
const LAYERS: [&str; 3] =
    ["OCI runtime create failed: ", "runc create failed: ", "unable to start container process: "];
/// What stands behind it where the kind of the error got lost on the way; advice may follow.
const KIND: &str = ": unknown";

/// The text without its layers.
pub fn essence(message: &str) -> &str {
    let inner = LAYERS.iter().fold(message, |rest, layer| rest.split_once(*layer).map_or(rest, |(_, inner)| inner));
    let inner = inner.trim();
    let without_advice = inner.split_once(": unknown: ").map(|(inner, _)| inner);
    without_advice.or_else(|| inner.strip_suffix(KIND)).unwrap_or(inner).trim()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stands_around_it_is_left_out_and_nothing_of_itself() {
        let exec = "failed to create shim task: OCI runtime create failed: runc create failed: unable to start container \
                    process: exec: \"/nope\": no such file or directory: unknown";
        assert_eq!(essence(exec), "exec: \"/nope\": no such file or directory");
        let mount = "OCI runtime create failed: error mounting \"/a\": not a directory: unknown: Are you trying to mount a \
                     directory onto a file?";
        assert_eq!(essence(mount), "error mounting \"/a\": not a directory");
        assert_eq!(essence("unable to find user x: unknown user"), "unable to find user x: unknown user");
    }
}
