using Orleans.Serialization.Cloning;

namespace Voice.Signaling.Gateway.Guilds;

/// <summary>Protocol records never change once made: a call inside one process hands them over as they are.</summary>
internal sealed class ImmutableProtocol : IGeneralizedCopier
{
    public static bool Contains(Type type) => type.Namespace?.StartsWith("Voice.Protocol", StringComparison.Ordinal) == true;

    public bool IsSupportedType(Type type) => Contains(type);

    public object? DeepCopy(object? input, CopyContext context) => input;
}
