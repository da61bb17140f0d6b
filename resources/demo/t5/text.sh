# SPDX-License-Identifier: Apache-2.0
# dictionary_text FOLDER: unpacks the GNU Collaborative International Dictionary of English (Debian's dict-gcide, about 40 MB of
# English) into FOLDER and prints the file's name.
dictionary_text() {
    packed=/usr/share/dictd/gcide.dict.dz
    [ -f "$packed" ] || { echo "the dictionary is not here: apt-get install dict-gcide" >&2; return 1; }
    mkdir -p "$1"
    [ -s "$1/gcide.txt" ] || gzip -dc <"$packed" >"$1/gcide.txt"
    printf '%s\n' "$1/gcide.txt"
}
