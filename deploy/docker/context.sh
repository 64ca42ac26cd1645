#!/usr/bin/env bash
# Lays out the build context of the Dockerfiles beside this script in a new folder:
#
#   deploy/docker/context.sh FOLDER                   for a base with a C library, such as debian:stable-slim
#   deploy/docker/context.sh FOLDER --scratch         with the program's shared libraries, for FROM scratch
#   deploy/docker/context.sh FOLDER --model DIR …     with a model, for model-server.Dockerfile
#
# The program is target/release/trainyard, or what $TRAINYARD_BIN names. A folder of its own keeps the context small: from
# the work tree, Docker would be sent all of target/. On a base with a C library the libraries of this machine must stay
# out: they would replace those that the base's own programs were made for.
set -euo pipefail

usage() { sed -n '2,6s/^# \{0,1\}//p' "$0" >&2; exit 2; }
folder=${1:-}
[[ -n $folder && $folder != -* ]] || usage
shift
scratch= model=
while (($#)); do
  case $1 in
    --scratch) scratch=1; shift ;;
    --model) model=${2:?--model needs the folder of a model}; shift 2 ;;
    *) usage ;;
  esac
done
program=${TRAINYARD_BIN:-$(dirname "$0")/../../target/release/trainyard}
[[ -x $program ]] || { echo "there is no program $program; run \`cargo build --release\`, or set TRAINYARD_BIN" >&2; exit 1; }
[[ ! -e $folder ]] || { echo "$folder exists; name a new folder, for all of it is sent to Docker" >&2; exit 1; }
[[ -z $model || -n $(ls -A "$model" 2>/dev/null) ]] || { echo "there is no model in $model; see \`trainyard models\`" >&2; exit 1; }

mkdir -p "$folder/rootfs"
install -D -m 755 "$program" "$folder/rootfs/usr/local/bin/trainyard"
if [[ -n $scratch ]]; then
  # A statically linked program has none. What has no path comes from the kernel.
  libraries=$(LC_ALL=C ldd "$program" 2>&1) || [[ $libraries == *"not a dynamic executable"* ]]
  if grep 'not found' <<<"$libraries" >&2; then
    exit 1
  fi
  while read -r library; do
    install -D -m 755 "$library" "$folder/rootfs$library"
  done < <(grep -o '/[^ :]*\.so[^ :]*' <<<"$libraries" | sort -u)
fi
[[ -z $model ]] || { mkdir "$folder/model" && cp -R "$model/." "$folder/model/" && chmod -R a+rX "$folder/model"; }
echo "$folder: $(du -sh "$folder" | cut -f1)"
