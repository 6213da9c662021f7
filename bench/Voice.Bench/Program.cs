using BenchmarkDotNet.Running;
using Voice.Bench;

if (args is ["--joins"]) Joining.Run();
else if (args is ["--memory"]) Holding.Run();
else BenchmarkSwitcher.FromAssembly(typeof(Program).Assembly).Run(args);
