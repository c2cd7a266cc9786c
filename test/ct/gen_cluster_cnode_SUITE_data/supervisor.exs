# SPDX-License-Identifier: Apache-2.0
# A program below a supervisor of Elixir: it runs, and is gone when the supervisor is.
children = [
  {:gen_cluster_cnode,
   %{
     program: System.fetch_env!("PROGRAM"),
     name: "c1@127.0.0.1",
     cookie: "none of yours",
     seeds: [],
     env: [{"BEHAVIOUR", :obedient}]
   }}
]

{:ok, supervisor} = Supervisor.start_link(children, strategy: :one_for_one)
[{_, pid, :worker, _}] = Supervisor.which_children(supervisor)
%{node: :"program@127.0.0.1", os_pid: os_pid} = :gen_cluster_cnode.info(pid)
IO.puts("running: #{File.exists?("/proc/#{os_pid}")}")
:ok = Supervisor.stop(supervisor)
IO.puts("gone: #{not File.exists?("/proc/#{os_pid}")}")
