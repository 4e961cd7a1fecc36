# Becomes TensorBoard, with the first Python that has it. What comes before this sets submit_folder and activates
# the environment.
set +euC
set -- python python3
# What the jobs found when they looked for one.
if [ -r "$submit_folder/pythons" ]; then
    while IFS= read -r submit_python; do set -- "$@" "$submit_python"; done <"$submit_folder/pythons"
fi
cd "$submit_folder" || exit 71
for submit_python in "$@"; do
    "$submit_python" -c 'import importlib.util as i, sys; sys.exit(not i.find_spec("tensorboard"))' 2>/dev/null || continue
    exec "$submit_python" -B "$submit_folder/tensorboard.py" "$submit_folder/runs" "$submit_folder/address"
done
echo "no Python with TensorBoard is found on $(uname -n) after the profile's activate_python; pip install tensorboard there" \
    >"$submit_folder/problem"
