using System.Diagnostics;
using System.Net.Sockets;
using System.Reflection;
using System.Reflection.Emit;
using Xunit;

namespace Voice.Tests;

/// <summary>The shape of the product, read from the compiled assemblies: who may know whom, and where sockets and clocks are.
/// A rule that is in the way is changed here, with its reason, or not at all.</summary>
public class Architecture
{
    private const BindingFlags Declared =
        BindingFlags.DeclaredOnly | BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.Static | BindingFlags.Instance;

    /// <summary>Every assembly of ours, and which of ours it may reference.</summary>
    private static readonly Dictionary<string, string[]> Arrows = new()
    {
        ["voice"] = ["Voice.Signaling", "Voice.Media", "Voice.VoiceAllocator", "Voice.Client", "Voice.Load", "Voice.Protocol"],
        ["Voice.Load"] = ["Voice.Client", "Voice.Signaling", "Voice.VoiceAllocator", "Voice.Protocol"], // it joins as a client does, starts a media process as a node does, and simulates fleets
        ["Voice.Signaling"] = ["Voice.VoiceAllocator", "Voice.Protocol"],
        ["Voice.Media"] = ["Voice.Protocol"],
        ["Voice.VoiceAllocator"] = ["Voice.Protocol"],
        ["Voice.Client"] = ["Voice.Protocol"],
        ["Voice.Protocol"] = [],
    };

    /// <summary>Types outside <c>Voice.Media.Net</c> that may touch a socket or a clock, and why. (BouncyCastle's DTLS blocks a thread and
    /// reads a clock, but its own.)</summary>
    private static readonly Dictionary<string, string> OuterLayer = new()
    {
        ["Voice.Media.MediaProcess"] = "the process's shell: it wraps the inherited descriptor of the media link and reports every second",
    };

    private static readonly Type[] SocketTypes = [typeof(Socket), typeof(UdpClient), typeof(TcpClient), typeof(NetworkStream)];

    private static readonly Type[] ClockTypes =
        [typeof(Stopwatch), typeof(TimeProvider), typeof(Timer), typeof(System.Timers.Timer), typeof(PeriodicTimer)];

    private static readonly string[] ClockMembers =
    [
        "System.DateTime.get_Now", "System.DateTime.get_UtcNow", "System.DateTime.get_Today",
        "System.DateTimeOffset.get_Now", "System.DateTimeOffset.get_UtcNow",
        "System.Environment.get_TickCount", "System.Environment.get_TickCount64",
        "System.Threading.Thread.Sleep", "System.Threading.Tasks.Task.Delay",
    ];

    [Fact]
    public void References_between_our_projects_are_the_ones_drawn()
    {
        foreach (var (name, allowed) in Arrows)
        {
            var ours = Load(name).GetReferencedAssemblies().Select(a => a.Name!).Where(IsOurs);
            Assert.Empty(ours.Except(allowed).Select(to => $"{name} -> {to}"));
        }
    }

    [Fact]
    public void Every_project_is_in_the_drawing()
    {
        var built = Directory.EnumerateFiles(AppContext.BaseDirectory, "*.dll").Select(path => Path.GetFileNameWithoutExtension(path)!)
            .Where(name => IsOurs(name) && name is not ("Voice.Tests" or "Voice.Fuzz"));
        Assert.Equal(Arrows.Keys.Order(), built.Order());
    }

    [Theory]
    [InlineData("Voice.Media")]
    [InlineData("Voice.Protocol")]
    public void Media_is_without_web_and_grains(string name)
    {
        // The wire formats of the two WebSockets are JSON: Protocol has them, the media process does not use them.
        string[] banned = name == "Voice.Media"
            ? ["Microsoft.AspNetCore", "Orleans", "Microsoft.Orleans", "System.Text.Json"]
            : ["Microsoft.AspNetCore", "Orleans", "Microsoft.Orleans"];
        foreach (var reference in Load(name).GetReferencedAssemblies().Select(a => a.Name!))
        {
            Assert.False(banned.Any(b => reference.StartsWith(b, StringComparison.Ordinal)), $"{name} -> {reference}");
        }
    }

    [Theory]
    [InlineData("Voice.Media")]
    [InlineData("Voice.Protocol")]
    public void Sockets_and_clocks_stay_in_the_outer_layer(string name)
    {
        var found = Load(name).GetTypes()
            .Where(type => !IsOuterLayer(Outermost(type)))
            .SelectMany(type => Touched(type).Where(IsSocketOrClock).Select(member => $"{type.FullName} uses {member.DeclaringType ?? member}.{member.Name}"));
        Assert.Empty(found.Distinct());
    }

    [Fact]
    public void Every_exception_is_still_needed()
    {
        var media = Load("Voice.Media");
        foreach (var name in OuterLayer.Keys)
        {
            var types = media.GetTypes().Where(type => Outermost(type).FullName == name).ToArray();
            Assert.True(types.SelectMany(Touched).Any(IsSocketOrClock), $"{name} touches no socket and no clock: take it off the list.");
        }
    }

    [Fact]
    public void The_search_sees_into_methods_fields_and_generics()
    {
        Assert.Contains(Touched(typeof(Probe)), member => member is Type t && t == typeof(Socket));
        Assert.Contains(Touched(typeof(Probe)), member => member is MethodInfo { Name: "get_UtcNow" });
    }

    private static bool IsOurs(string name) => name == "voice" || name.StartsWith("Voice.", StringComparison.Ordinal);

    private static Assembly Load(string name) => Assembly.LoadFrom(Path.Combine(AppContext.BaseDirectory, name + ".dll"));

    private static bool IsOuterLayer(Type type) =>
        type.Namespace == "Voice.Media.Net" || type.Namespace?.StartsWith("Voice.Media.Net.", StringComparison.Ordinal) == true
        || OuterLayer.ContainsKey(type.FullName!);

    private static Type Outermost(Type type) => type.DeclaringType is { } outer ? Outermost(outer) : type;

    private static bool IsSocketOrClock(MemberInfo member)
    {
        var type = member as Type ?? member.DeclaringType;
        return SocketTypes.Contains(type) || ClockTypes.Contains(type) || ClockMembers.Contains($"{type?.FullName}.{member.Name}");
    }

    /// <summary>Every type and member that a type's fields, signatures and method bodies name.</summary>
    private static IEnumerable<MemberInfo> Touched(Type type)
    {
        var types = type.GetFields(Declared).Select(field => field.FieldType).ToList();
        if (type.BaseType is { } parent) types.Add(parent);
        foreach (var method in type.GetMethods(Declared).Cast<MethodBase>().Concat(type.GetConstructors(Declared)))
        {
            types.AddRange(method.GetParameters().Select(parameter => parameter.ParameterType));
            if (method is MethodInfo { ReturnType: var returned }) types.Add(returned);
            if (method.GetMethodBody() is not { } body) continue;

            types.AddRange(body.LocalVariables.Select(local => local.LocalType));
            foreach (var member in Named(method, body.GetILAsByteArray()!))
            {
                if (member is Type named) types.Add(named);
                else yield return member;
            }
        }
        foreach (var part in types.SelectMany(Parts)) yield return part;
    }

    private static IEnumerable<Type> Parts(Type type) =>
        type.HasElementType ? Parts(type.GetElementType()!) : [type, .. type.GetGenericArguments().SelectMany(Parts)];

    private static readonly Dictionary<short, OperandType> Operands = typeof(OpCodes).GetFields().Select(field => (OpCode)field.GetValue(null)!)
        .ToDictionary(code => code.Value, code => code.OperandType);

    private static IEnumerable<MemberInfo> Named(MethodBase method, byte[] il)
    {
        var typeArguments = method.DeclaringType!.GetGenericArguments();
        var methodArguments = method.IsGenericMethod ? method.GetGenericArguments() : [];
        for (var i = 0; i < il.Length;)
        {
            var code = il[i] == 0xFE ? (short)(0xFE00 | il[i + 1]) : il[i];
            i += il[i] == 0xFE ? 2 : 1;
            var operand = Operands[code];
            if (operand is OperandType.InlineMethod or OperandType.InlineField or OperandType.InlineType or OperandType.InlineTok)
            {
                yield return method.Module.ResolveMember(BitConverter.ToInt32(il, i), typeArguments, methodArguments)!;
            }
            i += operand switch
            {
                OperandType.InlineNone => 0,
                OperandType.ShortInlineBrTarget or OperandType.ShortInlineI or OperandType.ShortInlineVar => 1,
                OperandType.InlineVar => 2,
                OperandType.InlineI8 or OperandType.InlineR => 8,
                OperandType.InlineSwitch => 4 + 4 * BitConverter.ToInt32(il, i),
                _ => 4,
            };
        }
    }

    private sealed class Probe
    {
        private readonly List<Socket[]> sockets = [];

        public bool IsLate() => sockets.Count > 0 && DateTime.UtcNow.Year > 2100;
    }
}
