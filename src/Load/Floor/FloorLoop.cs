using System.ComponentModel;
using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Reflection;
using Voice.Load.Linux;

namespace Voice.Load.Floor;

/// <summary>The smallest loop that sends: a C program where there is gcc, the same in C# otherwise.</summary>
internal abstract class FloorLoop : IAsyncDisposable
{
    /// <summary>Where its packets come from.</summary>
    public abstract int Port { get; }

    /// <summary>How it was built, for people.</summary>
    public abstract string Built { get; }

    /// <summary>Sends with one method for so long.</summary>
    /// <param name="pace">Packets a second; 0: as fast as it goes.</param>
    public abstract Task<(long Sent, long Failed, long CpuNanoseconds, long Nanoseconds)> Run(string method, double seconds, long pace, CancellationToken cancel);

    public abstract ValueTask DisposeAsync();

    /// <param name="ports">In the order in which to visit them.</param>
    public static async Task<FloorLoop> StartAsync(IPAddress address, int length, IReadOnlyList<int> ports, int[] cores, CancellationToken cancel) =>
        await CompiledFloorLoop.TryStartAsync(address, length, ports, cores, cancel) ?? (FloorLoop)new ManagedFloorLoop(address, length, ports, cores);
}

/// <summary>floor.c.</summary>
internal sealed class CompiledFloorLoop : FloorLoop
{
    private readonly Process process;
    private readonly DirectoryInfo folder;

    private CompiledFloorLoop(Process process, DirectoryInfo folder, int port) => (this.process, this.folder, Port) = (process, folder, port);

    public override int Port { get; }

    public override string Built => "C, gcc -O2";

    /// <returns>Null where there is no gcc.</returns>
    public static async Task<CompiledFloorLoop?> TryStartAsync(IPAddress address, int length, IReadOnlyList<int> ports, int[] cores, CancellationToken cancel)
    {
        var folder = Directory.CreateTempSubdirectory("voice-floor-");
        try
        {
            var program = Path.Combine(folder.FullName, "floor");
            if (!await Compile(program, cancel))
            {
                folder.Delete(recursive: true);
                return null;
            }

            var process = StartPinned(program, address, length, cores);
            await process.StandardInput.WriteLineAsync(string.Join('\n', [ports.Count, .. ports]).AsMemory(), cancel);
            await process.StandardInput.FlushAsync(cancel);
            if (await process.StandardOutput.ReadLineAsync(cancel) is not { } line || !line.StartsWith("port ", StringComparison.Ordinal))
                throw new LoadException("the floor's program does not start");
            return new(process, folder, int.Parse(line.AsSpan(5), CultureInfo.InvariantCulture));
        }
        catch
        {
            folder.Delete(recursive: true);
            throw;
        }
    }

    public override async Task<(long Sent, long Failed, long CpuNanoseconds, long Nanoseconds)> Run(string method, double seconds, long pace, CancellationToken cancel)
    {
        await process.StandardInput.WriteLineAsync(string.Create(CultureInfo.InvariantCulture, $"{method} {seconds} {pace}").AsMemory(), cancel);
        await process.StandardInput.FlushAsync(cancel);
        var numbers = (await process.StandardOutput.ReadLineAsync(cancel) ?? throw new LoadException("the floor's program ended"))
            .Split(' ').Select(number => long.Parse(number, CultureInfo.InvariantCulture)).ToArray();
        return (numbers[0], numbers[1], numbers[2], numbers[3]);
    }

    public override async ValueTask DisposeAsync()
    {
        process.StandardInput.Close();
        if (!process.WaitForExit(TimeSpan.FromSeconds(1))) process.Kill();
        await process.WaitForExitAsync();
        process.Dispose();
        folder.Delete(recursive: true);
    }

    private static async Task<bool> Compile(string program, CancellationToken cancel)
    {
        var source = program + ".c";
        await using (var file = File.Create(source))
        {
            await Assembly.GetExecutingAssembly().GetManifestResourceStream("floor.c")!.CopyToAsync(file, cancel);
        }

        try
        {
            using var gcc = Process.Start(new ProcessStartInfo("gcc", ["-O2", "-o", program, source]) { RedirectStandardError = true })!;
            await gcc.WaitForExitAsync(cancel);
            return gcc.ExitCode == 0;
        }
        catch (Win32Exception)
        {
            return false;
        }
    }

    private static Process StartPinned(string program, IPAddress address, int length, int[] cores)
    {
        var before = Cores.OfThread();
        Cores.PinThread(cores);
        try
        {
            return Process.Start(new ProcessStartInfo(program, [address.ToString(), length.ToString(CultureInfo.InvariantCulture)])
            {
                RedirectStandardInput = true,
                RedirectStandardOutput = true,
            })!;
        }
        finally
        {
            Cores.PinThread(before);
        }
    }
}
