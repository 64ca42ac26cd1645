//! Text that Kubernetes is to leave as it is. It puts the values of variables in place of `$(NAME)`, in commands and in
//! variables alike, and takes `$$` for `$`.

/// The text in the form in which it comes out as it stands here.
pub fn literal(text: &str) -> String {
    text.replace('$', "$$")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_dollar_is_doubled() {
        assert_eq!(literal("echo $(HOME) $$ 5$"), "echo $$(HOME) $$$$ 5$$");
    }
}
