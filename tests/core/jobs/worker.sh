#!/bin/sh
# Behaves as a worker of clove does, seen from outside: lock, events, control files, checkpoints, result, exit status.
# The recipe's name decides what becomes of it: "fails", "mute", "deaf" (ignores control/stop, not SIGTERM), else all is well.
while [ $# -gt 0 ]; do
    case $1 in
    train) recipe=$2; shift ;;
    --run-dir) dir=$2; shift ;;
    --resume) resume=yes ;;
    --trial) trial=$2; shift ;;
    esac
    shift
done
field() { sed -n "s/^$1 = //p" "$recipe" | tr -d '"'; }
now() { if [ -e "$dir/late" ]; then echo 1.0; else date +%s.%N; fi; }
tell() { printf '{"time":%s,"event":%s}\n' "$(now)" "$1" >>"$dir/events.jsonl"; }
name=$(field name)
steps=$(field steps)
if [ -n "$trial" ]; then
    [ "$name" = fails ] && { echo "clove: the loss is not a number at step 1" >&2; exit 1; }
    echo '{"seconds_per_step":0.5,"seconds_total":'$(field steps)',"peak_memory_bytes":1000,"pairs_per_s":64.0,"seconds_to_start":0.1}'
    exit 0
fi
mkdir -p "$dir/control" "$dir/checkpoints"
exec 9>>"$dir/run.lock"
flock -w 2 9 || { echo "another process is training here" >&2; exit 1; }
[ "$name" = mute ] && { echo "clove: the model is gone" >&2; exit 1; }
trace=$(dirname "$dir")/../trace
echo "begin $name" >>"$trace"
step=0
[ -n "$resume" ] && step=$(ls "$dir/checkpoints" | sed -n 's/^step_0*\([0-9]\)/\1/p' | sort -n | tail -1)
step=${step:-0}
tell '"started","step":'$step',"steps":'$steps',"pid":'$$',"device":"fake","samples":null,"parameters":9,"trained":9'
# The trace comes before the last event: who reads that event may look at the trace at once.
end() { echo "end $name" >>"$trace"; tell "$2"; exit "$1"; }
save() { mkdir -p "$dir/checkpoints/$(printf step_%06d "$step")"; }
trap 'save; end 85 "\"stopped\",\"step\":$step"' TERM
while [ "$step" -lt "$steps" ]; do
    sleep 0.03
    step=$((step + 1))
    tell '"step","step":'$step',"loss":'$step.5',"lr":0.001,"grad_norm":1.0,"logit_scale":2.0,"pairs_per_s":640.0,"negatives_share":0.5,"memory_bytes":1000,"seconds_left":1.0'
    [ $((step % 5)) -eq 0 ] && save
    [ "$name" = fails ] && end 1 '"failed","message":"the loss is not a number at step 1"'
    if [ "$name" != deaf ] && rm "$dir/control/stop" 2>/dev/null; then
        save
        end 85 '"stopped","step":'$step
    fi
done
mkdir -p "$dir/weights/hf"
echo '{"weights":["weights/hf"],"steps":'$steps',"seconds":1.0,"sha256":"00"}' >"$dir/result.json"
end 0 '"done","step":'$step',"seconds":1.0'
