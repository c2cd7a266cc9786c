# SPDX-License-Identifier: Apache-2.0
# The C member below a supervisor of Elixir: it is called, started again when it was killed, and gone
# when the supervisor is.
{:ok, _} = Node.start(:"elixir#{System.pid()}@127.0.0.1")
name = "c#{System.pid()}@127.0.0.1"

children = [
  {:gen_cluster_cnode, %{program: System.fetch_env!("PROGRAM"), name: name}}
]

{:ok, supervisor} = Supervisor.start_link(children, strategy: :one_for_one)

child = fn -> with [{_, pid, :worker, _}] <- Supervisor.which_children(supervisor), do: pid end
server = {:example_cluster_srv, String.to_atom(name)}
%{os_pid: first} = :gen_cluster_cnode.info(child.())
IO.puts("answer: #{GenServer.call(server, {:ohai})}")

ref = Process.monitor(child.())
{"", 0} = System.cmd("kill", ["-KILL", "#{first}"])

receive do
  {:DOWN, ^ref, :process, _, {:signal, :sigkill}} -> :ok
end

# The supervisor handles the exit before this question, and starts the program before it answers.
%{os_pid: second} = :gen_cluster_cnode.info(child.())
IO.puts("again: #{GenServer.call(server, {:ohai})}")
:ok = Supervisor.stop(supervisor)
IO.puts("gone: #{not File.exists?("/proc/#{first}") and not File.exists?("/proc/#{second}")}")
