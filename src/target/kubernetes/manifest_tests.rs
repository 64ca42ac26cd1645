//! What reading manifests gives, and what is said about those that cannot be read.

use serde_json::json;

use super::*;

const TWO: &str = "# the app\n---\napiVersion: v1\nkind: Service\nmetadata: {name: wine}\n---\n# nothing\n---\napiVersion: apps/v1\n\
                   kind: Deployment\nmetadata:\n  name: wine\n  uid: abc\nspec: {enabled: yes, mode: 0644}\nstatus: {replicas: 3}\n";

fn read_all(files: &[(&str, &str)]) -> Result<Vec<Document>, ManifestError> {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("k8s")).unwrap();
    for (name, text) in files {
        fs::write(folder.path().join("k8s").join(name), text).unwrap();
    }
    read(folder.path(), Path::new("k8s"))
}

#[test]
fn documents_come_in_the_order_of_the_files_with_their_places() {
    let pod = "{\"apiVersion\": \"v1\", \"kind\": \"Pod\", \"metadata\": {\"name\": \"p\"}}";
    let found = read_all(&[("b.yml", TWO), ("a.json", pod), ("notes.txt", "no manifest"), ("c.yaml", "---\n# none\n")])
        .unwrap();
    let places: Vec<String> = found.iter().map(|document| document.place.to_string()).collect();
    assert_eq!(
        places,
        ["k8s/a.json, document 1 (line 1)", "k8s/b.yml, document 1 (line 2)", "k8s/b.yml, document 2 (line 8)"]
    );
    assert_eq!(found.iter().map(Document::name).collect::<Vec<_>>(), ["p", "wine", "wine"]);
}

#[test]
fn a_manifest_means_what_it_means_to_kubectl_and_what_the_server_wrote_is_left_out() {
    let found = read_all(&[("a.yaml", TWO)]).unwrap();
    let expected = json!({
        "apiVersion": "apps/v1", "kind": "Deployment", "metadata": { "name": "wine" }, "spec": { "enabled": true, "mode": 420 },
    });
    assert_eq!(found[1].body, expected);
}

#[test]
fn a_list_is_taken_apart() {
    let list = "apiVersion: v1\nkind: List\nitems:\n- {apiVersion: v1, kind: Service, metadata: {name: a}}\n\
                - {apiVersion: v1, kind: Service, metadata: {name: b}}\n";
    let found = read_all(&[("a.yaml", list)]).unwrap();
    assert_eq!(found.iter().map(Document::name).collect::<Vec<_>>(), ["a", "b"]);
}

#[test]
fn what_is_no_yaml_is_told_with_file_document_and_line() {
    let text = format!("{TWO}---\napiVersion: v1\nkind: [Service\n");
    let said = read_all(&[("a.yaml", &text)]).unwrap_err().to_string();
    assert!(said.starts_with("k8s/a.yaml, document 3: "), "{said}");
    assert!(["line 17", "line 18", "line 19"].iter().any(|line| said.contains(line)), "{said}");
    let said = read_all(&[("a.json", "{\n\"kind\": }")]).unwrap_err().to_string();
    assert!(said.starts_with("k8s/a.json, document 1: ") && said.contains("line 2"), "{said}");
}

#[test]
fn a_fault_in_a_secret_does_not_quote_it() {
    let text = "apiVersion: v1\nkind: Secret\nstringData: {password: \"hush-hush\n";
    let said = read_all(&[("a.yaml", text)]).unwrap_err().to_string();
    assert!(!said.contains("hush-hush"), "{said}");
}

#[test]
fn what_is_no_object_is_told_with_what_it_lacks() {
    let lacks = |text: &str| read_all(&[("a.yaml", text)]).unwrap_err().to_string();
    assert!(lacks("kind: Pod\n").ends_with("it has no `apiVersion`"));
    assert!(lacks("apiVersion: v1\n").ends_with("it has no `kind`"));
    assert!(lacks("apiVersion: v1\nkind: Pod\nmetadata: {generateName: a-}\n").ends_with("it has no `metadata.name`"));
    assert!(matches!(read_all(&[("a.txt", "x")]), Err(ManifestError::Empty { .. })));
}

#[test]
fn an_object_for_another_namespace_is_refused_by_both_names() {
    let text = "apiVersion: v1\nkind: Service\nmetadata: {name: wine, namespace: kube-system}\n";
    let mut found = read_all(&[("a.yaml", text)]).unwrap();
    let said = found[0].put_into("ml").unwrap_err().to_string();
    assert!(said.contains("Service wine is for namespace kube-system") && said.contains("namespace is ml"), "{said}");
    assert_eq!(found[0].put_into("kube-system"), Ok(()));
    let mut found = read_all(&[("a.yaml", TWO)]).unwrap();
    found[0].put_into("ml").unwrap();
    assert_eq!(found[0].body["metadata"]["namespace"], "ml");
}

#[test]
fn a_folder_that_is_not_there_is_told_with_the_key() {
    let folder = tempfile::tempdir().unwrap();
    let said = read(folder.path(), Path::new("nowhere")).unwrap_err().to_string();
    assert!(said.contains("nowhere") && said.contains("`manifests`"), "{said}");
}
